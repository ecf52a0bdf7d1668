/** Where a page of the version that is pushed comes from: 0 nowhere yet, 1 the stored version, 2 and more what was pushed. */
export type PageOrigin = number;
export const STORED: PageOrigin = 1;
export const PUSHED: PageOrigin = 2;

/** Whether it can be a token: what a header takes, and a terminal and a shell may be shown. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

// What the tests use of the package `macaroon`, which has no types.
declare module "macaroon" {
  export interface JudgedMacaroon {
    readonly identifier: Uint8Array;
    readonly caveats: readonly { readonly identifier: Uint8Array }[];
    addFirstPartyCaveat(caveat: string | Uint8Array): void;
    addThirdPartyCaveat(rootKey: Uint8Array, identifier: Uint8Array, location: string): void;
    verify(rootKey: Uint8Array, check: (caveat: string) => string | null, discharges: readonly []): void;
    exportBinary(): Uint8Array;
    /** Texts, or base64url where they are no UTF-8. */
    exportJSON(): {
      readonly i?: string;
      readonly i64?: string;
      readonly c?: readonly { readonly i?: string; readonly i64?: string }[];
      readonly s64: string;
    };
  }
  const macaroon: {
    importMacaroon(token: string | Uint8Array): JudgedMacaroon;
    newMacaroon(parts: {
      readonly identifier: Uint8Array | string;
      readonly rootKey: Uint8Array;
      readonly location?: string;
    }): JudgedMacaroon;
    bytesToBase64(bytes: Uint8Array): string;
  };
  export default macaroon;
}

import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { addressKind, mayGoTo } from "../../../src/exports/callbacks/public-address.js";
import { size } from "../../support/size.js";
import { isPublicByRegistry, longForm, SPECIAL_IPV4, SPECIAL_IPV6 } from "./special-addresses.js";

const show = (bytes: readonly number[]): string => (bytes.length === 4 ? bytes.join(".") : longForm(bytes));

/** The addresses beside the ends of a block, on both sides. */
function edges(block: string): number[][] {
  const [base, bits] = ipaddr.parseCIDR(block);
  const width = base.toByteArray().length * 8;
  const first = BigInt(`0x${Buffer.from(base.toByteArray()).toString("hex")}`);
  const last = first + 2n ** BigInt(width - bits) - 1n;
  return [first - 1n, first, first + 1n, last - 1n, last, last + 1n]
    .filter((value) => value >= 0n && value < 2n ** BigInt(width))
    .map((value) => [...Buffer.from(value.toString(16).padStart(width / 4, "0"), "hex")]);
}

const bytesOf = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
const within = (blocks: readonly string[]) =>
  fc.tuple(fc.constantFrom(...blocks), bytesOf(16)).map(([block, noise]) => {
    const [base, bits] = ipaddr.parseCIDR(block);
    return base.toByteArray().map((byte, index) => {
      const fixed = Math.min(8, Math.max(0, bits - index * 8));
      return (byte | ((noise[index] ?? 0) & (0xff >> fixed))) & 0xff;
    });
  });
const anyIpv4 = fc.oneof(bytesOf(4), within(SPECIAL_IPV4), fc.constantFrom(...SPECIAL_IPV4.flatMap(edges)));
const CARRIERS = ["::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"];
const OTHERS = ["2000::/3", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "100::/64", "5f00::/16", "4000::/2"];
const anyIpv6 = fc.oneof(
  bytesOf(16),
  within([...SPECIAL_IPV6, ...CARRIERS, ...OTHERS]),
  fc.constantFrom(...[...SPECIAL_IPV6, ...CARRIERS, ...OTHERS].flatMap(edges)),
  fc
    .tuple(fc.constantFrom("::ffff:0:0", "64:ff9b::"), anyIpv4)
    .map(([prefix, address]) => [...ipaddr.parse(prefix).toByteArray().slice(0, 12), ...address]),
);

describe("mayGoTo, without private addresses,", () => {
  it("agrees with the registries on any address, in whatever form it is written", () => {
    fc.assert(
      fc.property(fc.oneof(anyIpv4, anyIpv6), (bytes) => {
        const expected = isPublicByRegistry(bytes);
        expect([show(bytes), mayGoTo(show(bytes), false)]).toEqual([show(bytes), expected]);
        if (bytes.length === 4) return;
        const text = longForm(bytes);
        const short = ipaddr.parse(text).toString();
        expect([short, mayGoTo(short, false)]).toEqual([short, expected]);
        expect(mayGoTo(text.toUpperCase(), false)).toBe(expected);
        expect(mayGoTo(`${short}%eth0`, false)).toBe(expected);
      }),
      { numRuns: size({ test: 5_000, soak: 200_000 }) },
    );
  });

  it("agrees with the registries at both ends of every block", () => {
    for (const bytes of [...SPECIAL_IPV4, ...SPECIAL_IPV6, ...CARRIERS, ...OTHERS].flatMap(edges)) {
      expect([show(bytes), mayGoTo(show(bytes), false)]).toEqual([show(bytes), isPublicByRegistry(bytes)]);
    }
  });

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "64:ff9b::8.8.8.8",
    "::ffff:8.8.8.8",
  ])("takes %s", (address) => {
    expect(mayGoTo(address, false)).toBe(true);
  });

  it.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.19.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "::7f00:1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001:0:808:808::1",
    "2001:db8::1",
    "4000::1",
  ])("refuses %s", (address) => {
    expect(mayGoTo(address, false)).toBe(false);
  });

  it.each([
    "",
    "localhost",
    "example.com",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "1.1.1",
    "1.1.1.1:80",
    "[2606:4700::1111]",
    " 1.1.1.1",
  ])("refuses what is no address: %j", (address) => {
    expect(mayGoTo(address, false)).toBe(false);
  });
});

describe("mayGoTo", () => {
  it.each([
    "127.0.0.1",
    "::1",
    "10.0.0.1",
    "192.168.0.9",
    "169.254.1.1",
    "100.64.0.1",
    "fd12::1",
    "fe80::1",
    "::ffff:10.0.0.1",
  ])("takes the private %s where that is allowed", (address) => {
    expect([addressKind(address), mayGoTo(address, true), mayGoTo(address, false)]).toEqual(["private", true, false]);
  });

  it.each([
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "169.254.170.2",
    "100.100.100.200",
    "fd00:ec2::254",
    "fd00:0ec2:0::254",
  ])("refuses the metadata service %s even then", (address) => {
    expect([addressKind(address), mayGoTo(address, true)]).toEqual(["refused", false]);
  });

  it.each(["0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "ff02::1", "240.0.0.1", "2002:a00:1::1"])(
    "refuses %s, which is nobody's own address, even then",
    (address) => {
      expect(mayGoTo(address, true)).toBe(false);
    },
  );
});

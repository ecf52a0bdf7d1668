import { BlockList } from "node:net";

/**
 * The registries, written down apart from the code under test: every block, those too that are reachable from everywhere, since no receiver of
 * callbacks stands there. With multicast, the limited broadcast and, last, what a cloud keeps to itself in a public range.
 * https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export const SPECIAL_IPV4: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "255.255.255.255/32",
  "168.63.129.16/32",
];

/** Of 2000::/3; what lies outside is no global unicast. */
export const SPECIAL_IPV6: readonly string[] = [
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "2620:4f:8000::/48",
  "3fff::/20",
];

const ipv4 = blockList(SPECIAL_IPV4, "ipv4");
const ipv6 = blockList(SPECIAL_IPV6, "ipv6");
const global = blockList(["2000::/3"], "ipv6");

/** A second opinion on an address of 4 or 16 bytes. */
export function isPublicByRegistry(bytes: readonly number[]): boolean {
  if (bytes.length === 4) return !ipv4.check(bytes.join("."), "ipv4");
  const prefix = Buffer.from(bytes.slice(0, 12)).toString("hex");
  const carriesIpv4 = prefix === "00000000000000000000ffff" || prefix === "0064ff9b0000000000000000";
  if (carriesIpv4) return isPublicByRegistry(bytes.slice(12));
  const text = longForm(bytes);
  return global.check(text, "ipv6") && !ipv6.check(text, "ipv6");
}

/** All eight groups of an IPv6 address, no `::`. */
export function longForm(bytes: readonly number[]): string {
  return (Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? []).join(":");
}

function blockList(blocks: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = "", bits] = block.split("/");
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

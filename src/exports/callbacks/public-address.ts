import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Where an address leads. `private`: loopback, private, link-local, shared (CGNAT) and unique local ones. `refused`: what no callback ever goes
 * to, allowed private ones included: metadata services, 0.0.0.0 (which is this machine), broadcast, multicast, reserved and tunnelled ranges.
 */
type AddressKind = "public" | "private" | "refused";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const PRIVATE_RANGES: ReadonlySet<string> = new Set([
  "loopback",
  "private",
  "linkLocal",
  "carrierGradeNat",
  "uniqueLocal",
]);

/** What clouds answer their machines' secrets on. Azure's lies in a public range, and one of Oracle's in a reserved one. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "169.254.0.23",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
  "fe80::a9fe:a9fe",
]);

/** All that IANA has given out as global unicast lies in here; `ipaddr.js` calls the rest unicast too. RFC 4291, section 2.4 */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** NAT64: the last 32 bits are an IPv4 address. Local prefixes (RFC 8215) put it elsewhere and are refused. RFC 6052, section 2.1 */
const NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("64:ff9b::"), 96];

/**
 * Judges an address in its textual form, as sockets and `dns.lookup` give it; anything else is `refused`. Of the special ranges none is public; those
 * that carry an IPv4 address (mapped, NAT64) are what they carry. 6to4 and Teredo are refused: no receiver stands there. An operator's own NAT64 prefix
 * cannot be told from public addresses.
 * https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function addressKind(address: string): AddressKind {
  // `ipaddr.js` also takes forms such as `0x7f.1`.
  return isIP(address) === 0 ? "refused" : kindOf(ipaddr.parse(withoutZone(address)));
}

/** Whether a callback may go to an address. */
export function mayGoTo(address: string, allowPrivate: boolean): boolean {
  const kind = addressKind(address);
  return kind === "public" || (kind === "private" && allowPrivate);
}

function kindOf(address: Address): AddressKind {
  if (METADATA_ADDRESSES.has(address.toString())) return "refused";
  const embedded = embeddedIpv4(address);
  if (embedded !== null) return kindOf(embedded);
  const range = address.range();
  if (PRIVATE_RANGES.has(range)) return "private";
  if (range !== "unicast") return "refused";
  return address.kind() === "ipv4" || address.match(GLOBAL_UNICAST) ? "public" : "refused";
}

function embeddedIpv4(address: Address): ipaddr.IPv4 | null {
  if (!("parts" in address)) return null;
  if (!address.isIPv4MappedAddress() && !address.match(NAT64)) return null;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

function withoutZone(address: string): string {
  return address.split("%", 1)[0] ?? address;
}

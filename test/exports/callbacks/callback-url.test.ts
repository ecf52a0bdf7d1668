import { describe, expect, it } from "vitest";
import { addressLiteral, callbackUrlMistake } from "../../../src/exports/callbacks/callback-url.js";

const strict = (url: unknown): string | null => callbackUrlMistake(url, { allowPrivate: false });
const lax = (url: unknown): string | null => callbackUrlMistake(url, { allowPrivate: true });

describe("callbackUrlMistake", () => {
  it.each([
    "https://example.com",
    "https://hooks.example.com/a/b?token=x&y=%20",
    "https://example.com:8443/",
    "https://example.com./",
    "https://8.8.8.8/hook",
    "https://[2606:4700::1111]/hook",
    "https://bücher.example/",
    "HTTPS://EXAMPLE.COM/",
    "https://localhost.example.com/",
    "https://internal.example.com/",
  ])("takes %s", (url) => {
    expect([strict(url), lax(url)]).toEqual([null, null]);
  });

  it("takes http: and private hosts where those are allowed, and only there", () => {
    for (const url of [
      "http://example.com/",
      "http://127.0.0.1:4000/",
      "https://localhost/",
      "https://[::1]:1/",
      "http://nas.local/",
      "http://intranet/",
    ]) {
      expect([url, lax(url)]).toEqual([url, null]);
      expect([url, strict(url)]).toEqual([url, expect.stringMatching(/^must .*(https:\/\/|allowPrivate)/)]);
    }
  });

  it.each([
    ["no text", 5, /as text/],
    ["null", null, /as text/],
    ["an object", new URL("https://example.com"), /as text/],
    ["nothing", "", /absolute URL/],
    ["a path", "/hook", /absolute URL/],
    ["a name alone", "example.com/hook", /absolute URL/],
    ["no host", "https://", /absolute URL/],
    ["another scheme", "ftp://example.com/", /begin with https/],
    ["a file", "file:///etc/passwd", /begin with https/],
    ["data", "data:text/plain,x", /begin with https/],
    ["gopher", "gopher://127.0.0.1:6379/_SET", /begin with https/],
    ["a user name", "https://user@example.com/", /user name/],
    ["a password", "https://user:secret@example.com/", /user name/],
    ["a password alone", "https://:secret@example.com/", /user name/],
    ["a fragment", "https://example.com/#part", /fragment/],
    ["an empty fragment", "https://example.com/#", /fragment/],
    ["port 0", "https://example.com:0/", /port 0/],
    ["a port too large", "https://example.com:65536/", /absolute URL/],
    ["a blank", "https://example.com/a b", /blanks/],
    ["a line end", "https://example.com/\r\nx: y", /blanks/],
    ["a leading blank", " https://example.com/", /blanks/],
    ["a tab in the host", "https://exam\tple.com/", /blanks/],
    ["NUL", "https://example.com/\0", /blanks/],
    ["a backslash", "https://example.com\\@127.0.0.1/", /backslashes/],
    ["a zone", "https://[fe80::1%25eth0]/", /absolute URL/],
    ["a dot for a host", "https://./", /name a host|absolute URL/],
    ["2 049 characters", `https://example.com/${"a".repeat(2_029)}`, /at most 2048 characters long, and has 2049/],
  ])("refuses %s wherever private hosts are allowed or not", (_what, url, reason) => {
    for (const mistake of [strict(url), lax(url)]) {
      expect(mistake).toMatch(/^must /);
      expect(mistake).toMatch(reason);
      expect(mistake).not.toMatch(/secret/);
    }
  });

  it.each([
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "2130706433.",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0x7f000001",
    "0x7F.0.0.1",
    "0x7f.1",
    "127.0.0.%31",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "0",
    "0.0.0.0",
    "0x0",
    "10.0.0.1",
    "167772161",
    "172.16.0.1",
    "192.168.0.1",
    "0300.0250.0.1",
    "169.254.169.254",
    "2852039166",
    "0xA9FEA9FE",
    "0251.0376.0251.0376",
    "100.64.0.1",
    "255.255.255.255",
    "224.0.0.1",
    "192.0.2.1",
    "168.63.129.16",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:0:7F00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "ｌｏｃａｌｈｏｓｔ",
    "loc%61lhost",
    "a.localhost",
    "a.b.localhost.",
    "printer.local",
    "printer.local.",
    "metadata.google.internal",
    "x.home.arpa",
    "localhost.localdomain",
    "router.lan",
    "intranet",
    "metadata",
  ])("refuses the disguise %s, with any port", (host) => {
    for (const url of [`https://${host}/`, `https://${host}:8443/x`]) {
      expect([url, strict(url)]).toEqual([url, expect.stringMatching(/^must not lead to /)]);
    }
  });

  it.each(["169.254.169.254", "0xA9FEA9FE", "[::ffff:a9fe:a9fe]", "0.0.0.0", "[::]", "[fd00:ec2::254]", "224.0.0.1"])(
    "refuses %s even where private hosts are allowed",
    (host) => {
      expect(lax(`http://${host}/`)).toMatch(/^must not lead to .* no callback goes to$/);
    },
  );
});

describe("addressLiteral", () => {
  it("is the address without brackets, and null for a name", () => {
    expect(addressLiteral(new URL("https://[::1]/").hostname)).toBe("::1");
    expect(addressLiteral(new URL("https://0x7f.1/").hostname)).toBe("127.0.0.1");
    expect(addressLiteral("example.com")).toBeNull();
  });
});

import { createHash } from "node:crypto";

/** An HTML answer. */
export interface CallbackPage {
  readonly status: 200 | 400;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/** What states of ours and codes of the providers consist of. Nothing else gets into a command that somebody is to copy into a shell. */
const SAFE = /^[A-Za-z0-9._~/+=-]{1,512}$/;
/** Codes such as `access_denied`. Descriptions are not shown: a link can put any words there, and this page is one whose commands people run. */
const ERROR_CODE = /^[\w.-]{1,64}$/;

const STYLE = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:12vh auto;padding:0 1.5rem}
h1{font-size:1.4rem}
pre{padding:1rem;border:1px solid;border-radius:.4rem;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all;-webkit-user-select:all}`;

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  // Nothing is loaded, nothing is sent, nobody frames it.
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  // The code stands in the address.
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** What the browser shows when it comes back from an OAuth provider: the command that finishes the login, or why there is none. */
export function oauthCallbackPage(query: URLSearchParams): CallbackPage {
  const error = query.get("error");
  if (error !== null) {
    return failure("The login was not finished", [
      ERROR_CODE.test(error) ? `The provider says: ${error}.` : "The provider does not say why.",
      "To try again, run starfish-replica oauth start once more.",
    ]);
  }
  const state = query.get("state") ?? "";
  const code = query.get("code") ?? "";
  if (!SAFE.test(state) || !SAFE.test(code)) {
    return failure("This is no answer of a login provider", [
      "The address has no state and code, or they have an odd form. To log in, run starfish-replica oauth start.",
    ]);
  }
  const command = `starfish-replica oauth complete ${flag("--state", state)} ${flag("--code", code)}`;
  return {
    status: 200,
    headers: HEADERS,
    html: page("Almost logged in", [
      "<p>If it was you who began this login with <code>starfish-replica oauth start</code>, finish it with this command:</p>",
      `<pre>${escapeHtml(command)}</pre>`,
      "<p>Where you gave <code>--server</code>, give it again.</p>",
      "<p>It works once, and for a few minutes. Show it to nobody. If you did not begin a login, close this page.</p>",
    ]),
  };
}

/** A value that begins with a hyphen would be taken for a flag. */
function flag(name: string, value: string): string {
  return value.startsWith("-") ? `${name}=${value}` : `${name} ${value}`;
}

function failure(title: string, sentences: readonly string[]): CallbackPage {
  return {
    status: 400,
    headers: HEADERS,
    html: page(
      title,
      sentences.map((text) => `<p>${escapeHtml(text)}</p>`),
    ),
  };
}

function page(title: string, body: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body.join("\n")}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

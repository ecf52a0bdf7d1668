import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { inCi } from "../support/size.js";
import { tempDir } from "../support/temp-dir.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

interface Packed {
  readonly filename: string;
  readonly files: ReadonlyArray<{ readonly path: string }>;
}

/** What importing an entry loads, minified: bytes of ours, and packages. */
async function loadedAtOnce(folder: string, name: string): Promise<{ bytes: number; packages: string[] }> {
  const { metafile } = await build({
    entryPoints: [join(folder, `dist/${name}.js`)],
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    outdir: join(folder, "min"),
    metafile: true,
    logLevel: "error",
  });
  const { outputs } = metafile;
  const entry = Object.keys(outputs).find(
    (path) => outputs[path]?.entryPoint !== undefined && path.endsWith("/index.js"),
  );
  const loaded = new Set<string>();
  const imports: string[] = [];
  const load = (path: string): void => {
    const output = outputs[path];
    if (!output || loaded.has(path)) return;
    loaded.add(path);
    const atOnce = output.imports.filter(({ kind }) => kind === "import-statement");
    for (const { path: imported, external } of atOnce) external ? imports.push(imported) : load(imported);
  };
  load(entry ?? "");
  const bytes = [...loaded].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
  const packages = [...new Set(imports.filter((path) => !path.startsWith("node:")))].sort();
  return { bytes, packages };
}

/** What tsc is told to follow the types of an entry as a user's project would. */
function declarationsOf(name: string): string[] {
  const options = ["--module", "nodenext", "--target", "es2022", "--lib", "es2023", "--types", "node"];
  return [...options, `dist/${name}.d.ts`];
}

describe("the package", () => {
  let packed: Packed;
  let folder: string;

  beforeAll(async () => {
    // A copy: other test files and people may be using dist/ right now.
    folder = join(tempDir(), "package");
    mkdirSync(folder);
    const wanted = [
      "src",
      "package.json",
      "tsconfig.json",
      "tsconfig.build.json",
      "tsup.config.ts",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
    ];
    for (const name of wanted) cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const { stdout } = await run("npm", ["pack", "--json"], { cwd: folder });
    packed = JSON.parse(stdout.slice(stdout.indexOf("[\n")))[0];
  }, 120_000);

  it("exports these names and no others", async () => {
    const entry = await import(join(folder, "dist/index.js"));
    expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
      [
        "ChannelScheduler",
        "ConfigurationError",
        "ERROR_CODES",
        "ReplicaError",
        "ReplicaManager",
        "SYNC_EVENTS",
        "TRIGGERS",
        "WRITE_MODES",
        "createPrimaryServerPlugin",
        "createReplicaAuth",
        "createReplicaServerPlugin",
        "validateReplicaConfig",
      ]
    `);
  });

  it("exports these names for tables and no others", async () => {
    const entry = await import(join(folder, "dist/tables/index.js"));
    expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
      [
        "ConfigurationError",
        "ReplicaError",
        "TABLE_EVENTS",
        "createTableReplication",
      ]
    `);
  });

  it("exports these names for exports and no others", async () => {
    const entry = await import(join(folder, "dist/exports/index.js"));
    expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
      [
        "ConfigurationError",
        "EXPORT_EVENTS",
        "ReplicaError",
        "createExports",
      ]
    `);
  });

  it("exports these names for pages and no others", async () => {
    const entry = await import(join(folder, "dist/pages/index.js"));
    expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
      [
        "ConfigurationError",
        "PAGE_EVENTS",
        "ReplicaError",
        "createPageChannel",
        "createPageClient",
        "createPageServer",
        "readPageServerEnvironment",
      ]
    `);
  });

  it("has everything that its own imports name", () => {
    const paths = packed.files.map(({ path }) => path);
    for (const target of Object.values<string>(manifest.imports)) expect(paths).toContain(target.slice(2));
  });

  it.each([
    ["tables/index", "dist/tables/table-replication.d.ts"],
    ["exports/index", "dist/exports/exports.d.ts"],
    ["pages/index", "dist/pages/page-server.d.ts"],
  ])("tells nobody about a driver's types in %s", async (entry, declares) => {
    const { stdout } = await run("npx", ["tsc", "--listFilesOnly", ...declarationsOf(entry)], { cwd: folder });
    expect(stdout).toContain(declares);
    expect(stdout).not.toMatch(
      /node_modules\/(@types\/)?(pg|better-sqlite3|ws|@aws-sdk|@smithy|@connectrpc|@bufbuild)\//,
    );
  });

  it("contains code, types, licence and documents, and nothing else", () => {
    const unexpected = packed.files
      .map(({ path }) => path)
      .filter((path) => !/^(dist\/.+\.(js|js\.map|d\.ts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path));
    expect(unexpected).toEqual([]);
    for (const path of ["dist/index.js", "dist/index.d.ts", manifest.bin["starfish-replica"].slice(2)]) {
      expect(packed.files.map((file) => file.path)).toContain(path);
    }
  });

  it.runIf(inCi)("passes publint", async () => {
    const { stdout } = await run("npx", ["publint", "--strict", folder], { cwd: root });
    expect(stdout).toContain("All good!");
  });

  it.runIf(inCi)("has types that every ESM resolution finds", async () => {
    const tarball = join(folder, packed.filename);
    await run("npx", ["attw", tarball, "--profile", "esm-only"], { cwd: root });
  });

  it("has a root entry below 60 KB minified, without its dependencies, that loads neither driver nor native module", async () => {
    const { bytes, packages } = await loadedAtOnce(folder, "index");
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(60_000);
    expect(packages).toEqual(["@drakkar.software/starfish-server", "p-retry"]);
  });

  it("has an entry for tables that loads neither driver nor native module", async () => {
    const { packages } = await loadedAtOnce(folder, "tables/index");
    expect(packages).toEqual(["hono"]);
  });

  it("has an entry for exports that loads neither driver nor native module", async () => {
    const { bytes, packages } = await loadedAtOnce(folder, "exports/index");
    expect(packages).toEqual(["content-disposition", "hono", "ipaddr.js", "range-parser"]);
    expect(bytes).toBeLessThan(60_000);
  });

  it("has an entry for pages that loads neither driver nor native module, nor what only a running server needs", async () => {
    const { packages } = await loadedAtOnce(folder, "pages/index");
    expect(packages).toContain("hono");
    expect(packages.join(" ")).not.toMatch(/better-sqlite3|@connectrpc|@bufbuild|argon/);
  });

  it("works when installed into an empty project, from code and as a command", async () => {
    const project = tempDir();
    writeFileSync(join(project, "package.json"), '{ "name": "empty", "private": true, "type": "module" }');
    const tarball = join(folder, packed.filename);
    const server = manifest.devDependencies["@drakkar.software/starfish-server"];
    const install = [
      "install",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      tarball,
      `@drakkar.software/starfish-server@${server}`,
    ];
    await run("npm", install, { cwd: project });
    const program = `
      import { MemoryObjectStore } from "@drakkar.software/starfish-server";
      import { createReplicaAuth, createReplicaServerPlugin } from "starfish-replica";
      const syncConfig = { version: 1, collections: [{ name: "a", storagePath: "a/b", readRoles: ["public"], writeRoles: ["public"],
        encryption: "none", maxBodyBytes: 1000, allowedMimeTypes: ["application/json"] }] };
      const plugin = createReplicaServerPlugin({ store: new MemoryObjectStore(new Map()), syncConfig, auth: await createReplicaAuth({ passphrase: "x y z" }),
        collections: { a: { url: "http://127.0.0.1:9", pullPath: "/pull/a/b", writeMode: "pull_only", syncTriggers: [] } } });
      const error = await plugin.manager.syncNow("a").catch((error) => error);
      console.log(error.code);
      await plugin.shutdown();
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { cwd: project });
    expect(stdout.trim()).toBe("PRIMARY_UNREACHABLE");
    const withoutDrivers = `
      import { createTableReplication } from "starfish-replica/tables";
      const tables = createTableReplication({ database: "replica.db", source: "sqlite:shop.db", tables: ["users"] });
      const error = await tables.start().catch((error) => error);
      console.log(error.code, error.hint);
      await tables.stop();
    `;
    const missing = await run(process.execPath, ["--input-type=module", "-e", withoutDrivers], { cwd: project });
    expect(missing.stdout.trim()).toMatch(/^MISSING_DRIVER .*npm install better-sqlite3/);
    const exportsWithoutDrivers = `
      import { createExports } from "starfish-replica/exports";
      for (const s3 of [undefined, { bucket: "exports" }]) {
        const exports = createExports({ database: "shop.db", dir: "exports", ...(s3 && { s3 }) });
        const error = await exports.start().catch((error) => error);
        console.log(error.code, error.hint);
        await exports.stop();
      }
    `;
    const noExports = await run(process.execPath, ["--input-type=module", "-e", exportsWithoutDrivers], {
      cwd: project,
    });
    expect(noExports.stdout.trim()).toMatch(
      /^MISSING_DRIVER .*npm install better-sqlite3\nMISSING_DRIVER .*npm install /,
    );
    const command = await run(join(project, "node_modules/.bin/starfish-replica"), ["--version"], { cwd: project });
    expect(command.stdout.trim()).toBe(manifest.version);
  }, 120_000);
});

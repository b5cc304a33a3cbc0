import { readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./sources.ts";

type Metafile = {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<
    Record<string, { readonly imports: readonly { readonly path: string; readonly external?: boolean }[] }>
  >;
};

/** What esbuild wrote about a bundle of the last build; `npm run build` makes it. */
function metafile(name: string): Metafile {
  return JSON.parse(readFileSync(join(root, "dist/meta", `${name}.json`), "utf8"));
}

const packageOf = (input: string): string | undefined =>
  /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];

function packagesIn({ inputs }: Metafile): readonly string[] {
  return [...new Set(Object.keys(inputs).flatMap((input) => packageOf(input) ?? []))].toSorted();
}

function externals({ outputs }: Metafile): readonly string[] {
  const paths = Object.values(outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => path),
  );
  return [...new Set(paths)].filter((path) => !isBuiltin(path)).toSorted();
}

/** x509 and all that it stands on. */
const certificates =
  /^(?:@peculiar\/.+|@noble\/hashes|asn1js|bytestreamjs|pkijs|pvtsutils|pvutils|reflect-metadata|tslib|tsyringe)$/;

/** Small ones; the last two are how a node asks AWS. */
const few = new Set(["zod", "p-limit", "yocto-queue", "aws4fetch", "@rgrove/parse-xml"]);

describe.each([
  {
    name: "agent",
    room: /^src\/(?:agent|components|machine|records|store|pki|events|problems|host)\//,
    kilobytes: 850,
  },
  {
    name: "gateway",
    room: /^src\/(?:gateway|components|machine|records|store|pki|events|problems|host)\//,
    kilobytes: 850,
  },
])("the $name, which nodes run", ({ name, room, kilobytes }) => {
  const meta = metafile(name);

  it("contains Node.js's own modules, ours, and few libraries", () => {
    const others = packagesIn(meta).filter((found) => !few.has(found));
    expect(others.filter((found) => !certificates.test(found))).toEqual([]);
    expect(Object.keys(meta.inputs).filter((input) => packageOf(input) === undefined && !room.test(input))).toEqual([]);
    expect(externals(meta)).toEqual([]);
  });

  it("has the small half of zod only", () => {
    const inputs = Object.keys(meta.inputs).filter((input) => packageOf(input) === "zod");
    expect(inputs.some((input) => input.includes("/v4/mini/"))).toBe(true);
    expect(inputs.filter((input) => /\/v4\/classic\/|\/v3\//.test(input))).toEqual([]);
  });

  it(`is one file of at most ${kilobytes} KB`, () => {
    expect(statSync(join(root, `dist/${name}.js`)).size).toBeLessThanOrEqual(kilobytes * 1024);
  });
});

describe("the command line", () => {
  const meta = metafile("cli");

  it("needs nothing but Node.js", () => {
    expect(externals(meta)).toEqual([]);
  });

  it("carries the licence of every package in it", () => {
    const notices = readFileSync(join(root, "dist/THIRD-PARTY.txt"), "utf8");
    expect(packagesIn(meta).filter((found) => !notices.includes(`${found} `))).toEqual([]);
    expect(packagesIn(meta).length).toBeGreaterThan(10);
    expect(notices).not.toContain("licence not stated");
  });
});

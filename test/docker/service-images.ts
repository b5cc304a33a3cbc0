import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemProcesses } from "../../src/host/processes.ts";
import { docker, slipway } from "./harness.ts";

async function build(tag: string, dockerfile: string): Promise<void> {
  await systemProcesses.run(["docker", "build", "--quiet", "--tag", tag, "-"], { input: dockerfile, timeout: 240_000 });
}

/** An image with busybox, its web server and socat (for datagrams), whose page says `version`; the same tag for every version. */
export async function buildWeb(tag: string, version: string): Promise<void> {
  const node = (await slipway(["image"])).stdout.trim();
  await build(
    tag,
    [
      `FROM ${node} AS node`,
      // The programs' libraries come from the node image, too: no registry is asked.
      "RUN mkdir /out && cp --parents /usr/bin/socat $(ldd /usr/bin/socat | grep -o '/[^ ]*') /out",
      "FROM demo/hello",
      "COPY --from=node /out /",
      `RUN echo ${version} > /www/version`,
    ].join("\n"),
  );
}

/** What a registry answers for one image: its manifest, and blobs by their digest. */
export async function registryFiles(image: string): Promise<{ readonly folder: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-registry-"));
  const tar = join(folder, "image.tar");
  await docker("save", "--output", tar, image);
  await systemProcesses.run(["tar", "--extract", "--file", tar, "--directory", folder]);
  const [saved] = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  const blobs = mkdtempSync(join(tmpdir(), "slipway-registry-"));
  const blob = (path: string, mediaType: string) => {
    const content = readFileSync(join(folder, path));
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    writeFileSync(join(blobs, digest), content);
    return { mediaType, size: content.length, digest };
  };
  writeFileSync(
    join(blobs, "manifest"),
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: blob(saved.Config, "application/vnd.docker.container.image.v1+json"),
      layers: saved.Layers.map((layer: string) => blob(layer, "application/vnd.docker.image.rootfs.diff.tar.gzip")),
    }),
  );
  rmSync(folder, { recursive: true, force: true });
  return { folder: blobs, remove: () => rmSync(blobs, { recursive: true, force: true }) };
}

/** A registry for one image, which answers only who shows a login, and writes down what it was shown. It runs in a node. */
export const registryProgram = `
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
createServer((request, response) => {
  const shown = request.headers.authorization;
  appendFileSync("/var/log/registry.log", request.method + " " + request.url + " " + shown + "\\n");
  if (shown === undefined) {
    response.writeHead(401, { "WWW-Authenticate": 'Basic realm="test"', "Docker-Distribution-Api-Version": "registry/2.0" });
    return response.end('{"errors":[{"code":"UNAUTHORIZED"}]}');
  }
  const [, kind, name] = /\\/(manifests|blobs)\\/([A-Za-z0-9:._-]+)$/.exec(request.url) ?? [];
  if (kind === undefined) return response.end("{}");
  const path = "/var/lib/registry/" + (kind === "blobs" ? name : "manifest");
  if (!existsSync(path)) return response.writeHead(404).end();
  const content = readFileSync(path);
  response.writeHead(200, {
    "Content-Type": kind === "blobs" ? "application/octet-stream" : "application/vnd.docker.distribution.manifest.v2+json",
    "Content-Length": content.length,
    "Docker-Content-Digest": "sha256:" + createHash("sha256").update(content).digest("hex"),
  });
  response.end(request.method === "HEAD" ? undefined : content);
}).listen(5000, "127.0.0.1");
`;

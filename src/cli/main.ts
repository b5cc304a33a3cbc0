import { version } from "./version.ts";

// The version is asked for by scripts: answered before anything else is loaded.
const [first] = process.argv.slice(2);
if (first === "--version" || first === "-V") process.stdout.write(`slipway ${version}\n`);
else await (await import("./start.ts")).start(new URL(".", import.meta.url));

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { TestProject } from "vitest/node";
import { ensureJudges } from "../../../scripts/judges.mjs";
import { motoAt } from "./moto.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where a test file borrows a moto. */
    motos: string;
  }
}

type Running = { readonly endpoint: string; stop(): Promise<void> };

/**
 * The motos of a run: a test file borrows one for as long as it holds its connection, and who comes after it finds it warm; its
 * start and its first answers take 4 s. None is started before somebody asks, and there are as many as files run at a time.
 * A process that dies lets go by that; so does moto when this one dies.
 */
export default async function motos(project: TestProject): Promise<() => Promise<void>> {
  const all: Promise<Running>[] = [];
  const idle: Running[] = [];
  const borrow = async (): Promise<Running> => {
    const there = idle.pop();
    if (there !== undefined) return there;
    const started = startMoto();
    all.push(started);
    return started;
  };
  const server = createHttpServer((_, answer) => {
    let gone = false;
    let held: Running | undefined;
    answer.on("close", () => {
      gone = true;
      if (held !== undefined) idle.push(held);
    });
    borrow().then(
      (one) => {
        held = one;
        if (gone) idle.push(one);
        // It stays open: that is the loan.
        else answer.writeHead(200).write(`${one.endpoint}\n`);
      },
      (error: unknown) => answer.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  project.provide("motos", `http://127.0.0.1:${address.port}/`);
  // Whoever has asked for none does not wait for this.
  server.unref();
  return async () => {
    server.close();
    server.closeAllConnections();
    for (const one of await Promise.allSettled(all)) if (one.status === "fulfilled") await one.value.stop();
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

/** Starts moto on loopback, on a port that is free. */
async function startMoto(): Promise<Running> {
  const judge = (await ensureJudges())["moto_server"];
  if (judge.path === undefined) throw new Error(judge.missing);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // The same Python as moto_server's own.
  const python = join(dirname(judge.path), "python3");
  const launcher = join(import.meta.dirname, "moto-server.py");
  const server: ChildProcess = spawn(python, [launcher, "--host", "127.0.0.1", "--port", String(port)], {
    // It ends when its input does.
    stdio: ["pipe", "ignore", "ignore"],
    // Images are the layer's own: moto would read 300 of them at each reset.
    env: { ...process.env, MOTO_EC2_LOAD_DEFAULT_AMIS: "false" },
  });
  const answers = async (): Promise<boolean> => {
    try {
      return (await fetch(endpoint)).status < 600;
    } catch (error) {
      if (error instanceof TypeError) return false;
      throw error;
    }
  };
  for (const end = Date.now() + 60_000; !(await answers()); await pause(100))
    if (Date.now() > end || server.exitCode !== null) throw new Error("moto_server does not answer");
  await warm(endpoint);
  return {
    endpoint,
    async stop() {
      if (server.exitCode !== null) return;
      const ended = once(server, "exit");
      server.kill();
      await ended;
    },
  };
}

/** Its first answer of each service takes a second or more: here, and not in somebody's test. */
async function warm(endpoint: string): Promise<void> {
  const moto = motoAt(endpoint);
  const first = { region: "us-east-1", account: "000000000000", method: "POST", path: "/" };
  const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  await Promise.all([
    moto.forward({ ...first, service: "ec2", headers: form, body: "Action=DescribeVpcs&Version=2016-11-15" }),
    moto.forward({ ...first, service: "iam", headers: form, body: "Action=ListRoles&Version=2010-05-08" }),
    moto.forward({ ...first, service: "s3", method: "GET", headers: {}, body: "" }),
    moto.forward({
      ...first,
      service: "logs",
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.DescribeLogGroups" },
      body: "{}",
    }),
  ]);
  moto.leave();
}

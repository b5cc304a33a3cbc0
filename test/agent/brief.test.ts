import { expect, test } from "vitest";
import { briefEngine, briefStore } from "../../src/agent/brief.ts";
import { seededRandom, virtualClock } from "../../src/host/virtual.ts";
import { memoryStore } from "../../src/store/memory.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("one look serves a moment, and a write of ours ends it", async () => {
  const clock = virtualClock(0);
  const store = memoryStore(seededRandom(1));
  let looks = 0;
  const brief = briefStore({ ...store, get: (key) => (looks++, store.get(key)) }, clock);
  expect(await brief.get("a")).toBeUndefined();
  expect(await brief.get("a")).toBeUndefined();
  expect(looks).toBe(1);
  await brief.putIfAbsent("a", bytes("1"));
  expect((await brief.get("a"))?.value).toEqual(bytes("1"));
  expect(looks).toBe(2);
});

test("what others write is seen after a quarter of a second at most", async () => {
  const clock = virtualClock(0);
  const store = memoryStore(seededRandom(1));
  const brief = briefStore(store, clock);
  expect(await brief.get("a")).toBeUndefined();
  await store.putIfAbsent("a", bytes("2"));
  await clock.advance(251);
  expect((await brief.get("a"))?.value).toEqual(bytes("2"));
});

test("the engine's answers are remembered by path, and any other call forgets them", async () => {
  const clock = virtualClock(0);
  const calls: string[] = [];
  const engine = briefEngine({ call: async (method, path) => calls.push(`${method} ${path}`) }, clock);
  await engine.call("GET", "/info");
  await engine.call("GET", "/info");
  await engine.call("POST", "/swarm/init", {});
  await engine.call("GET", "/info");
  expect(calls).toEqual(["GET /info", "POST /swarm/init", "GET /info"]);
});

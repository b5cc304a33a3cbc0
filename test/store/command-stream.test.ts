import { expect, test } from "vitest";
import { commandStream, StreamEnded } from "../../src/host/command.ts";

const all = async (stream: AsyncIterable<Buffer>): Promise<string> => {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text;
};

test("a stream is a command's input and output, and ends when it ends well", async () => {
  const stream = commandStream(["cat"]);
  stream.end("there and back");
  expect(await all(stream)).toBe("there and back");
});

test("a command that fails ends its stream with its code and its last words, also when nothing read its input", async () => {
  const stream = commandStream(["sh", "-c", "exec <&-; echo said; echo why not >&2; sleep 0.1; exit 7"]);
  stream.write("x".repeat(1 << 20));
  const failed: unknown = await all(stream).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(StreamEnded);
  expect(failed).toMatchObject({ code: 7, said: "why not" });
});

test("a command that is not there is an error of the stream", async () => {
  await expect(all(commandStream(["/nowhere/at-all"]))).rejects.toMatchObject({ code: "ENOENT" });
});

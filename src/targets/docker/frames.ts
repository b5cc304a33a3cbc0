/**
 * Output without a terminal comes in frames: one byte of stream, three of nothing, four of length, then the bytes. Takes
 * it in chunks of any length and hands on what is in the frames, in pieces as they come.
 */
export function frames(each: (stream: "stdout" | "stderr", bytes: Buffer) => void): (chunk: Buffer) => void {
  let header: Buffer = Buffer.alloc(0);
  let left = 0;
  let stream: "stdout" | "stderr" = "stdout";
  return (chunk) => {
    for (let rest = chunk; rest.length > 0;) {
      if (left > 0) {
        const part = rest.subarray(0, left);
        rest = rest.subarray(part.length);
        left -= part.length;
        each(stream, part);
      } else {
        const missing = headerBytes - header.length;
        header = Buffer.concat([header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (header.length < headerBytes) return;
        stream = header[0] === 2 ? "stderr" : "stdout";
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      }
    }
  };
}

const headerBytes = 8;

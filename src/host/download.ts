/** Fetches a whole file over http or https, of at most so many bytes. */
export type Download = (url: string, most: number) => Promise<Uint8Array>;

/** How long a whole download may take, milliseconds. */
const deadline = 300_000;

/** The real one; an answer other than 200, a file that is too large or too slow are errors that name the address. */
export const systemDownload: Download = async (url, most) => {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(deadline) });
    if (!answer.ok || answer.body === null) throw new Error(`the answer is ${answer.status} ${answer.statusText}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body) {
      size += chunk.byteLength;
      if (size > most) throw new Error(`it is larger than ${most} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    throw new Error(`${url}: ${error instanceof Error ? error.message : String(error)}${cause}`, { cause: error });
  }
};

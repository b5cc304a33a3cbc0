/** A field to send: its number and value. Numbers and `true` are varints; what has the default value is left out. */
export type Field = readonly [number: number, value: string | Uint8Array | boolean | bigint];

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return bytes;
}

/** A protobuf message of these fields (varint and length-delimited ones: all that etcd's requests have). */
export function encodeMessage(fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(([number, value]) => {
    const key = BigInt(number) << 3n;
    if (typeof value === "boolean") return value ? [Buffer.from([...varint(key), 1])] : [];
    if (typeof value === "bigint") return value === 0n ? [] : [Buffer.from([...varint(key), ...varint(value)])];
    const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
    return [Buffer.from([...varint(key | 2n), ...varint(BigInt(bytes.length))]), bytes];
  });
  return Buffer.concat(parts);
}

/** A received message; fields that are not there have their type's default value, as protobuf has it. */
export class Message {
  readonly #fields = new Map<number, (bigint | Buffer)[]>();

  /** Throws a RangeError when the bytes are no whole message. */
  constructor(bytes: Uint8Array) {
    const data = Buffer.from(bytes);
    let at = 0;
    const take = (length: number): Buffer => {
      if (at + length > data.length) throw new RangeError("a protobuf message is cut off");
      at += length;
      return data.subarray(at - length, at);
    };
    const number = (): bigint => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = take(1)[0] ?? 0;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
      throw new RangeError("a protobuf number is longer than 64 bits");
    };
    while (at < data.length) {
      const key = number();
      const values = this.#fields.get(Number(key >> 3n)) ?? [];
      this.#fields.set(Number(key >> 3n), values);
      switch (Number(key & 7n)) {
        case 0:
          values.push(number());
          break;
        case 1:
          values.push(take(8).readBigUInt64LE());
          break;
        case 2:
          values.push(take(Number(number())));
          break;
        case 5:
          values.push(BigInt(take(4).readUInt32LE()));
          break;
        default:
          throw new RangeError(`a protobuf field of unknown kind ${key & 7n}`);
      }
    }
  }

  number(field: number): bigint {
    const value = this.#fields.get(field)?.at(-1);
    return typeof value === "bigint" ? value : 0n;
  }
  flag(field: number): boolean {
    return this.number(field) !== 0n;
  }
  text(field: number): string {
    return this.texts(field).at(-1) ?? "";
  }
  texts(field: number): readonly string[] {
    return this.#bytes(field).map((value) => value.toString("utf8"));
  }
  /** Bytes as a text of as many characters (Latin-1). */
  key(field: number): string {
    return this.#bytes(field).at(-1)?.toString("latin1") ?? "";
  }
  message(field: number): Message {
    return this.messages(field).at(-1) ?? new Message(new Uint8Array());
  }
  messages(field: number): readonly Message[] {
    return this.#bytes(field).map((value) => new Message(value));
  }
  #bytes(field: number): readonly Buffer[] {
    return (this.#fields.get(field) ?? []).filter((value) => typeof value !== "bigint");
  }
}

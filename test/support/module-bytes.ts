// Owns modules put together byte by byte, for tests of what no assembler would write. It refuses to know what is valid.

/** An unsigned LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

export const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export const section = (id: number, payload: readonly number[]): number[] => [
  id,
  ...leb(payload.length),
  ...payload,
];

export const named = (text: string): number[] => [...leb(text.length), ...Buffer.from(text)];

export const moduleOf = (...sections: number[][]): Uint8Array =>
  Uint8Array.from([...PREAMBLE, ...sections.flat()]);

const NOTHING = [0x60, 0, 0];
const EXPORTS = section(7, [2, ...named("_start"), 0, 0, ...named("memory"), 2, 0]);
const MEMORY = section(5, [1, 0, 1]);

/** A command whose only function has these instructions (without the closing end), locals and sections before its code. */
export function commandOf(
  instructions: readonly number[],
  { locals = [0], sections = [] }: { locals?: readonly number[]; sections?: number[][] } = {},
): Uint8Array {
  const body = [...locals, ...instructions, 0x0b];
  const code = section(10, [1, ...leb(body.length), ...body]);
  return moduleOf(section(1, [1, ...NOTHING]), section(3, [1, 0]), MEMORY, EXPORTS, ...sections, code);
}

// SPDX-License-Identifier: GPL-3.0-only
// Owns the types of the part of snarkjs that this room and its tests use. It refuses to describe the rest.

declare module "snarkjs" {
  /** A file name, bytes in memory, or memory to write to (snarkjs then sets `data`). */
  export type FileLike = string | { type: "mem"; data?: Uint8Array };
  export type SignalInput = string | bigint | readonly SignalInput[];

  export interface Groth16ProofJson {
    pi_a: [string, string, string];
    pi_b: [[string, string], [string, string], [string, string]];
    pi_c: [string, string, string];
    protocol: string;
    curve: string;
  }

  export const groth16: {
    prove(zkey: FileLike, witness: FileLike): Promise<{ proof: Groth16ProofJson; publicSignals: string[] }>;
    verify(key: object, publicSignals: readonly string[], proof: object): Promise<boolean>;
  };
  export const wtns: {
    calculate(
      input: Readonly<Record<string, SignalInput>>,
      wasm: FileLike,
      witness: FileLike,
      options?: object,
    ): Promise<void>;
    exportJson(witness: FileLike): Promise<bigint[]>;
  };
  export const r1cs: {
    exportJson(file: FileLike): Promise<{
      prime: bigint;
      nVars: number;
      nOutputs: number;
      nPubInputs: number;
      constraints: readonly (readonly [A: object, B: object, C: object])[];
    }>;
  };
  export const zKey: {
    newZKey(r1cs: FileLike, powersOfTau: FileLike, zkey: FileLike): Promise<Uint8Array | -1>;
    contribute(before: FileLike, after: FileLike, name: string, entropy: string): Promise<Uint8Array>;
    beacon(
      before: FileLike,
      after: FileLike,
      name: string,
      hex: string,
      iterationsExponent: number,
    ): Promise<Uint8Array | false>;
    verifyFromR1cs(r1cs: FileLike, powersOfTau: FileLike, zkey: FileLike): Promise<boolean>;
    exportVerificationKey(zkey: FileLike): Promise<object>;
    exportSolidityVerifier(zkey: FileLike, templates: { groth16: string }): Promise<string>;
  };
  export const powersOfTau: {
    newAccumulator(curve: object, power: number, file: FileLike): Promise<Uint8Array>;
    contribute(before: FileLike, after: FileLike, name: string, entropy: string): Promise<Uint8Array>;
    preparePhase2(before: FileLike, after: FileLike): Promise<void>;
  };
  export const curves: {
    getCurveFromName(
      name: string,
      options?: { singleThread: boolean },
    ): Promise<{ terminate(): Promise<void> }>;
  };
}

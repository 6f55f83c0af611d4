// SPDX-License-Identifier: GPL-3.0-only
// Owns `npm run ceremony`: new proving and verification keys for every circuit, and the transcript of who took part. It
// refuses to publish a key without a contribution (anybody could forge under it), or one that does not verify.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { curves, powersOfTau, zKey } from "snarkjs";
import { DEVELOPMENT_ORIGIN } from "../evidence/groth16-key.ts";
import { type Compiled, compileCircuit, sha256Of } from "./compile.ts";
import { ARTIFACT_SUFFIX, CIRCUIT_NAMES, CIRCUITS, type CircuitName } from "./manifest.ts";
import { endSnarkThreads } from "./snark-threads.ts";

const HERE = import.meta.dirname;
const MANIFEST = join(HERE, "circuits.json");
const BIOME = join(HERE, "../node_modules/.bin/biome");
const ARTIFACTS = join(HERE, "artifacts");
const FOLDER = join(HERE, "..", ".polder/ceremony");
const TRANSCRIPT = join(FOLDER, "transcript.json");
/** 2¹⁴ constraints hold the largest circuit. */
const POWER = 14;
/** snarkjs hashes a beacon 2¹⁰ times, so that whoever sees it first has no time to choose. */
const BEACON_ITERATIONS_EXPONENT = 10;

/** Powers of tau that `start` made by itself. */
const OWN_SOURCE = "own, one party";
/** The prepared file that the committed development keys were made with. */
const DEVELOPMENT_POWERS_SHA256 = "f3be27b13ad6e8e45b2362db9de35db6d29b32e25f16aa103c3e6951044d8356";

interface Contribution {
  readonly by: string;
  /** SHA-256 of the key that the contribution made, by circuit. */
  readonly zkeySha256: Readonly<Record<string, string>>;
}

/** What a ceremony was: kept beside its keys, so that others can check it. */
export interface Transcript {
  readonly powersOfTau: { readonly sha256: string; readonly source: string };
  readonly r1csSha256: Readonly<Record<string, string>>;
  readonly contributions: Contribution[];
  origin?: string;
}

const USAGE = `npm run ceremony -- start [--powers-of-tau FILE]   phase 2 of every circuit; without a file its own (11 minutes)
npm run ceremony -- contribute --name NAME           adds one party's randomness to every key
npm run ceremony -- finish --origin NAME [--beacon HEX]   verifies, publishes into circuits/artifacts
npm run ceremony -- development [--powers-of-tau FILE]    all three by one party; refused off the local chain`;

function zkeyOf(name: CircuitName, step: number): string {
  return join(FOLDER, `${name}.${String(step).padStart(4, "0")}.zkey`);
}

function readTranscript(): Transcript {
  if (!existsSync(TRANSCRIPT)) throw new Error("no ceremony is under way; begin with `start`");
  return JSON.parse(readFileSync(TRANSCRIPT, "utf8")) as Transcript;
}

function writeTranscript(transcript: Transcript): void {
  writeFileSync(TRANSCRIPT, `${JSON.stringify(transcript, null, 2)}\n`);
}

/** A prepared powers-of-tau file of our own: one party, so for development only. */
async function makePowersOfTau(): Promise<string> {
  const [blank, contributed, prepared] = ["blank", "contributed", "prepared"].map((stage) =>
    join(FOLDER, `powers-of-tau-${stage}.ptau`),
  ) as [string, string, string];
  console.log("powers of tau: contributing and preparing, about 11 minutes");
  await powersOfTau.newAccumulator(await curves.getCurveFromName("bn128"), POWER, blank);
  await powersOfTau.contribute(blank, contributed, "own", randomBytes(64).toString("hex"));
  await powersOfTau.preparePhase2(contributed, prepared);
  return prepared;
}

async function start(given: string | undefined): Promise<void> {
  if (given !== undefined && !existsSync(given)) throw new Error(`no powers-of-tau file at ${given}`);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const ptau = given ?? (await makePowersOfTau());
  copyFileSync(ptau, join(FOLDER, "powers-of-tau.ptau"));
  const r1csSha256: Record<string, string> = {};
  for (const name of CIRCUIT_NAMES) {
    const { r1cs, constraints } = await compileCircuit(name, CIRCUITS[name]);
    r1csSha256[name] = sha256Of(r1cs);
    console.log(`${name}: ${constraints} constraints`);
    if ((await zKey.newZKey(r1cs, ptau, zkeyOf(name, 0))) === -1) {
      throw new Error(`${name}: ${ptau} is not prepared for phase 2, or too small`);
    }
  }
  const source = given === undefined ? OWN_SOURCE : "given";
  writeTranscript({ powersOfTau: { sha256: sha256Of(ptau), source }, r1csSha256, contributions: [] });
}

async function addContribution(by: string, mix: (before: string, after: string) => Promise<unknown>) {
  const transcript = readTranscript();
  const step = transcript.contributions.length;
  const zkeySha256: Record<string, string> = {};
  for (const name of CIRCUIT_NAMES) {
    const [before, after] = [zkeyOf(name, step), zkeyOf(name, step + 1)];
    // snarkjs answers false for what it refuses, and a file half made would otherwise be published.
    if (!(await mix(before, after))) throw new Error(`${name}: the contribution was refused`);
    zkeySha256[name] = sha256Of(after);
  }
  transcript.contributions.push({ by, zkeySha256 });
  writeTranscript(transcript);
}

function contribute(by: string): Promise<void> {
  const entropy = () => randomBytes(64).toString("hex");
  return addContribution(by, (before, after) => zKey.contribute(before, after, by, entropy()));
}

/**
 * Requires of a ceremony what its name promises: under any origin but `development` nobody alone may know the secrets.
 * Whose powers of tau were given is for whoever reads the transcript to judge; one known to be one party's is refused.
 *
 * @throws Error saying what is missing.
 */
export function requireCeremony(transcript: Transcript, origin: string, beacon: string | undefined): void {
  const { contributions, powersOfTau: powers } = transcript;
  if (contributions.length === 0) {
    throw new Error("nobody has contributed: γ = δ, and anybody could forge proofs under these keys");
  }
  if (origin === DEVELOPMENT_ORIGIN) return;
  if (powers.source === OWN_SOURCE || powers.sha256 === DEVELOPMENT_POWERS_SHA256) {
    throw new Error("these powers of tau are one party's: the origin must be `development`");
  }
  if (new Set(contributions.map(({ by }) => by)).size < 2) {
    throw new Error("one party alone contributed: the origin must be `development`");
  }
  if (beacon === undefined) throw new Error("a ceremony ends with a beacon that nobody could choose");
}

async function finish(origin: string, beacon: string | undefined): Promise<void> {
  requireCeremony(readTranscript(), origin, beacon);
  if (beacon !== undefined) {
    await addContribution(`beacon ${beacon}`, (before, after) =>
      zKey.beacon(before, after, "beacon", beacon, BEACON_ITERATIONS_EXPONENT),
    );
  }
  const transcript = readTranscript();
  const compiled = new Map<CircuitName, Compiled>();
  for (const name of CIRCUIT_NAMES) {
    const made = await compileCircuit(name, CIRCUITS[name]);
    const zkey = zkeyOf(name, transcript.contributions.length);
    const ptau = join(FOLDER, "powers-of-tau.ptau");
    if (!(await zKey.verifyFromR1cs(made.r1cs, ptau, zkey))) {
      throw new Error(`${name}: the key does not follow from circuit, powers of tau and contributions`);
    }
    console.log(`${name}: key verified`);
    compiled.set(name, made);
  }
  transcript.origin = origin;
  writeTranscript(transcript);
  for (const [name, made] of compiled) {
    await publish(name, made, zkeyOf(name, transcript.contributions.length), origin);
  }
  copyFileSync(TRANSCRIPT, join(ARTIFACTS, "transcript.json"));
  // The formatter decides which arrays fit on a line; without it the manifest would fail the format check.
  execFileSync(BIOME, ["format", "--write", MANIFEST], { stdio: "ignore" });
  console.log(
    "published; now `npm run circuits:solidity` and `node tools/make-proof-vectors.ts` follow the new keys",
  );
}

/** Copies one circuit's artifacts and writes its hashes into the manifest. */
async function publish(name: CircuitName, made: Compiled, zkey: string, origin: string): Promise<void> {
  mkdirSync(ARTIFACTS, { recursive: true });
  const path = (kind: keyof typeof ARTIFACT_SUFFIX) => join(ARTIFACTS, `${name}${ARTIFACT_SUFFIX[kind]}`);
  copyFileSync(made.wasm, path("wasm"));
  copyFileSync(zkey, path("zkey"));
  const key = await zKey.exportVerificationKey(zkey);
  writeFileSync(path("verificationKey"), `${JSON.stringify(key, null, 1)}\n`);
  const manifest = JSON.parse(readFileSync(MANIFEST, "utf8")) as { circuits: Record<string, object> };
  manifest.circuits[name] = {
    ...manifest.circuits[name],
    constraints: made.constraints,
    origin,
    sha256: {
      r1cs: sha256Of(made.r1cs),
      wasm: sha256Of(path("wasm")),
      zkey: sha256Of(path("zkey")),
      verificationKey: sha256Of(path("verificationKey")),
    },
  };
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
}

async function run(args: readonly string[]): Promise<void> {
  const text = { type: "string" } as const;
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { "powers-of-tau": text, name: text, origin: text, beacon: text },
  });
  const [command] = positionals;
  if (command === "start") return start(values["powers-of-tau"]);
  if (command === "contribute" && values.name !== undefined) return contribute(values.name);
  if (command === "finish" && values.origin !== undefined) return finish(values.origin, values.beacon);
  if (command === "development") {
    await start(values["powers-of-tau"]);
    await contribute("one developer");
    return finish(DEVELOPMENT_ORIGIN, undefined);
  }
  throw new Error(`what shall be done?\n${USAGE}`);
}

if (import.meta.main) {
  // snarkjs leaves files to the garbage collector, which warns of it and closes them.
  process.noDeprecation = true;
  try {
    await run(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    await endSnarkThreads();
  }
}

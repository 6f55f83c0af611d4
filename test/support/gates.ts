// Owns the gates as tests make them: compiled with the committed verifiers, deployed for the sample's region, with the roots
// that the committed proofs were made under. It refuses to set a root that no committed proof names.

import type { CircuitName } from "../../circuits/manifest.ts";
import { CONTRACTS } from "../../circuits/solidity.ts";
import type { Hex } from "../../protocol/fields.ts";
import { accountOf, Chain, type Compiled, compile, type Deployed, sourceOf } from "./evm.ts";

export const REPORTER = accountOf(0xce);
export const ASKER = accountOf(0xa5);
export const STRANGER = accountOf(0xbad);
const ZERO = accountOf(0);

const FILES = [
  "gates/CertificateGate.sol",
  "gates/MeterGate.sol",
  ...Object.values(CONTRACTS).map((name) => `verifiers/${name}.sol`),
];
let kept: Record<string, Compiled> | undefined;

/** Every contract by name. */
export function contracts(): Record<string, Compiled> {
  kept ??= compile(Object.fromEntries(FILES.map((file) => [file, sourceOf(file)])));
  return kept;
}

export const contractNamed = (name: string): Compiled => contracts()[name] as Compiled;

/** What differs from the sample's region, or from the committed verifier. */
export interface GateTerms {
  readonly chain?: Chain;
  readonly verifier?: Compiled;
  readonly regionId?: string;
  readonly windowSlots?: number;
  readonly settlement?: Hex;
  readonly reporter?: Hex;
}

/** Deploys a gate and its verifier; answers it, or the error that refused it. */
export async function makeGate(
  gate: "CertificateGate" | "MeterGate",
  circuit: CircuitName,
  terms: GateTerms = {},
): Promise<{ readonly chain: Chain; readonly made: Deployed | { readonly error: string } }> {
  const chain = terms.chain ?? (await Chain.start(31_337));
  const { address } = await chain.deployed(terms.verifier ?? contractNamed(CONTRACTS[circuit]));
  const { reporter = REPORTER, settlement = ZERO, regionId = "polder-one" } = terms;
  const { windowSlots = circuit === "meter-96" ? 96 : 4 } = terms;
  const made = await chain.deploy(contractNamed(gate), address, reporter, settlement, regionId, windowSlots);
  return { chain, made };
}

/** A gate that must be made. */
export async function gateOf(...[gate, circuit, terms]: Parameters<typeof makeGate>) {
  const { chain, made } = await makeGate(gate, circuit, terms);
  if ("error" in made) throw new Error(`not made: ${made.error}`);
  return { chain, gate: made };
}

/** A verifier whose key is said to be a ceremony's, or was contributed to by nobody. */
export function bentVerifier(circuit: CircuitName, bend: "origin" | "gamma"): Compiled {
  const name = CONTRACTS[circuit];
  const source = sourceOf(`verifiers/${name}.sol`);
  const bent =
    bend === "origin"
      ? source.replace('keyOrigin = "development"', 'keyOrigin = "a ceremony of tests"')
      : ["x1", "x2", "y1", "y2"].reduce((text, part) => {
          const gamma = new RegExp(`gamma${part} = (\\d+)`).exec(text)?.[1] as string;
          return text.replace(new RegExp(`delta${part} = \\d+`), `delta${part} = ${gamma}`);
        }, source);
  if (bent === source) throw new Error("nothing was bent");
  return compile({ [`verifiers/${name}.sol`]: bent })[name] as Compiled;
}

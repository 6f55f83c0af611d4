// Owns a compiled circuit's constraints as a test asks about them: does this witness satisfy them, and would it with one
// wire changed. It refuses a witness that does not satisfy them to begin with.

import { r1cs } from "snarkjs";

type Terms = Readonly<Record<string, string>>;

/** How often a wire stands in the three factors of one constraint. */
interface Use {
  readonly constraint: number;
  readonly weights: [a: bigint, b: bigint, c: bigint];
}

/** Constraints A·w × B·w = C·w over a prime field. */
export interface ConstraintSystem {
  readonly prime: bigint;
  readonly uses: readonly (readonly Use[])[];
  readonly constraints: readonly (readonly [Terms, Terms, Terms])[];
}

/** Reads an r1cs file. */
export async function readConstraints(file: string): Promise<ConstraintSystem> {
  const json = await r1cs.exportJson(file);
  const uses: Map<number, Use>[] = Array.from({ length: json.nVars }, () => new Map());
  const constraints = json.constraints as ConstraintSystem["constraints"];
  constraints.forEach((factors, constraint) => {
    factors.forEach((terms, factor) => {
      for (const [wire, weight] of Object.entries(terms)) {
        const ofWire = uses[Number(wire)] as Map<number, Use>;
        const use = ofWire.get(constraint) ?? { constraint, weights: [0n, 0n, 0n] };
        use.weights[factor] = BigInt(weight);
        ofWire.set(constraint, use);
      }
    });
  });
  return { prime: BigInt(json.prime), uses: uses.map((map) => [...map.values()]), constraints };
}

/**
 * Wires that can be changed by `delta` without breaking a constraint.
 * @throws Error when the witness breaks one as it is.
 */
export function looseWires(system: ConstraintSystem, witness: readonly bigint[], delta: bigint): number[] {
  const { prime, uses, constraints } = system;
  const values = constraints.map((factors) => factors.map((terms) => productOf(terms, witness, prime)));
  const holds = ([a, b, c]: readonly bigint[]) =>
    ((a as bigint) * (b as bigint) - (c as bigint)) % prime === 0n;
  const broken = values.findIndex((value) => !holds(value));
  if (broken !== -1) throw new Error(`the witness breaks constraint ${broken}`);
  const loose: number[] = [];
  for (let wire = 1; wire < witness.length; wire += 1) {
    const isBound = (uses[wire] ?? []).some(({ constraint, weights }) => {
      const before = values[constraint] as bigint[];
      return !holds(before.map((value, factor) => value + (weights[factor] as bigint) * delta));
    });
    if (!isBound) loose.push(wire);
  }
  return loose;
}

function productOf(terms: Terms, witness: readonly bigint[], prime: bigint): bigint {
  let sum = 0n;
  for (const [wire, weight] of Object.entries(terms))
    sum += BigInt(weight) * (witness[Number(wire)] as bigint);
  return sum % prime;
}

// Owns drawing statements and expressions inside one random function. It refuses what would not be valid, and grows no
// larger than its budget.

import { CONSTANTS, MAKERS, type Type } from "./random-instructions.ts";

interface Signature {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

/** The types that a branch to each open label takes along, innermost last. */
type Labels = (readonly Type[])[];

export class RandomExpressions {
  readonly #random: (below: number) => number;
  readonly #signatures: readonly Signature[];
  readonly #results: readonly Type[];
  readonly #locals: readonly Type[];
  readonly #labels: Labels;
  #budget: number;

  constructor(
    random: (below: number) => number,
    signatures: readonly Signature[],
    { params, results }: Signature,
    locals: readonly Type[],
    budget: number,
  ) {
    this.#random = random;
    this.#signatures = signatures;
    this.#results = results;
    this.#locals = [...params, ...locals];
    this.#labels = [results];
    this.#budget = budget;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random(list.length)] as T;
  }

  statements(count: number): string {
    return Array.from({ length: count }, () => this.statement()).join("\n");
  }

  statement(): string {
    this.#budget -= 1;
    if (this.#budget < 0) return "";
    const makers = [
      () => this.#store(),
      () => this.#store(),
      () => this.#assign(),
      () => this.#assign(),
      () => this.#assign(),
      () => this.#setGlobal(),
      () => this.#branchIf(),
      () => this.#block("block", 2),
      () => this.#conditional(),
      () => this.#loop(),
      () => this.#loop(),
      () => this.#table(),
      () => this.#call(),
      () => this.#bulk(),
      () => this.#rare(),
    ];
    return this.#pick(makers)();
  }

  expression(type: Type, depth: number): string {
    this.#budget -= 1;
    if (depth <= 0 || this.#budget < 0) return this.#leaf(type);
    const choice = this.#random(14);
    if (choice < 8) return this.#made(type, depth);
    if (choice === 8) return this.#select(type, depth);
    if (choice === 9) return this.#valueBlock(type, depth);
    if (choice === 10) return this.#load(type, depth);
    if (choice === 11) return this.#tee(type, depth);
    return this.#leaf(type);
  }

  #leaf(type: Type): string {
    const locals = this.#localsOf(type);
    const choice = this.#random(6);
    if (choice < 3 && locals.length > 0) return `local.get ${this.#pick(locals)}`;
    if (choice === 3) return `global.get $${type}`;
    return `${type}.const ${this.#pick(CONSTANTS[type])}`;
  }

  #localsOf(type: Type): number[] {
    return this.#locals.flatMap((own, index) => (own === type ? [index] : []));
  }

  #made(type: Type, depth: number): string {
    const [name, ...operands] = this.#pick(MAKERS[type]);
    return [...operands.map((operand) => this.expression(operand, depth - 1)), name].join("\n");
  }

  #select(type: Type, depth: number): string {
    const values = [1, 2].map(() => this.expression(type, depth - 1)).join("\n");
    const typed = this.#random(3) === 0 ? `select (result ${type})` : "select";
    return `${values}\n${this.expression("i32", 1)}\n${typed}`;
  }

  /** A block, conditional or block with an early way out that gives a value. */
  #valueBlock(type: Type, depth: number): string {
    const choice = this.#random(3);
    if (choice === 0) {
      const arms = this.#within([type], () => [this.#arm(type, depth), this.#arm(type, depth)]);
      return `${this.expression("i32", 1)}\nif (result ${type})\n${arms[0]}\nelse\n${arms[1]}\nend`;
    }
    const inside = this.#within([type], () => {
      const early = `${this.expression(type, depth - 1)}\n${this.expression("i32", 1)}\nbr_if 0`;
      return choice === 1 ? early : `${early}\ndrop\n${this.#arm(type, depth)}`;
    });
    return `block (result ${type})\n${inside}\nend`;
  }

  #arm(type: Type, depth: number): string {
    return `${this.#random(3) === 0 ? this.statement() : ""}\n${this.expression(type, depth - 1)}`;
  }

  #within<T>(types: readonly Type[], inside: () => T): T {
    this.#labels.push(types);
    const text = inside();
    this.#labels.pop();
    return text;
  }

  #address(): string {
    return `${this.expression("i32", 1)}\ni32.const 16383\ni32.and`;
  }

  #load(type: Type, depth: number): string {
    void depth;
    if (type === "v128" && this.#random(3) === 0) return `${this.#address()}\nv128.load32_splat offset=4`;
    return `${this.#address()}\n${type}.load offset=${this.#random(64)}`;
  }

  #tee(type: Type, depth: number): string {
    const locals = this.#localsOf(type);
    if (locals.length === 0) return this.#leaf(type);
    return `${this.expression(type, depth - 1)}\nlocal.tee ${this.#pick(locals)}`;
  }

  #anyType(): Type {
    return this.#pick(["i32", "i64", "f32", "f64", "v128", "f32", "f64"] as const);
  }

  #store(): string {
    const type = this.#anyType();
    return `${this.#address()}\n${this.expression(type, 4)}\n${type}.store offset=${this.#random(64)}`;
  }

  #assign(): string {
    if (this.#locals.length === 0) return this.#setGlobal();
    const local = this.#random(this.#locals.length);
    return `${this.expression(this.#locals[local] as Type, 4)}\nlocal.set ${local}`;
  }

  #setGlobal(): string {
    const type = this.#anyType();
    return `${this.expression(type, 3)}\nglobal.set $${type}`;
  }

  #branchIf(): string {
    const target = this.#random(this.#labels.length);
    const types = this.#labels[this.#labels.length - 1 - target] as readonly Type[];
    const values = types.map((type) => this.expression(type, 2)).join("\n");
    return `${values}\n${this.expression("i32", 2)}\nbr_if ${target}\n${types.map(() => "drop").join("\n")}`;
  }

  #block(opcode: string, count: number): string {
    return `${opcode}\n${this.#within([], () => this.statements(count))}\nend`;
  }

  /** Its second arm may leave the block at once. */
  #conditional(): string {
    const condition = this.expression("i32", 2);
    const first = this.#within([], () => this.statements(2));
    if (this.#random(2) === 0) return `${condition}\nif\n${first}\nend`;
    const second = this.#within([], () => (this.#random(3) === 0 ? this.#leave() : this.statements(1)));
    return `${condition}\nif\n${first}\nelse\n${second}\nend`;
  }

  #leave(): string {
    if (this.#random(3) === 0)
      return `${this.#results.map((type) => this.expression(type, 2)).join("\n")}\nreturn`;
    const target = this.#random(this.#labels.length);
    const types = this.#labels[this.#labels.length - 1 - target] as readonly Type[];
    return `${types.map((type) => this.expression(type, 2)).join("\n")}\nbr ${target}`;
  }

  #loop(): string {
    const inside = this.#within([], () =>
      this.#within([], () => `${this.statements(2)}\n${this.expression("i32", 2)}\nbr_if 0`),
    );
    const hop = "global.get $hops i32.eqz br_if 1 global.get $hops i32.const 1 i32.sub global.set $hops";
    return `block\nloop\n${hop}\n${inside}\nend\nend`;
  }

  #table(): string {
    const inside = this.#within([], () =>
      this.#within([], () => `${this.expression("i32", 2)}\ni32.const 3\ni32.and\nbr_table 0 1 0 1`),
    );
    return `block\nblock\n${inside}\nend\n${this.#within([], () => this.statements(1))}\nend`;
  }

  #call(): string {
    const index = this.#random(this.#signatures.length);
    const { params, results } = this.#signatures[index] as Signature;
    const operands = params.map((type) => this.expression(type, 2)).join("\n");
    const drops = results.map((type) => `global.set $${type}`);
    // A place of the table may be empty or of another type: then both runs trap.
    const call =
      this.#random(3) === 0 ? `i32.const ${index}\ncall_indirect (type $t${index})` : `call $f${index}`;
    return [operands, call, ...drops.reverse()].join("\n");
  }

  #bulk(): string {
    const length = `${this.expression("i32", 1)}\ni32.const 255\ni32.and`;
    if (this.#random(2) === 0)
      return `${this.#address()}\n${this.expression("i32", 1)}\n${length}\nmemory.fill`;
    return `${this.#address()}\n${this.#address()}\n${length}\nmemory.copy`;
  }

  #rare(): string {
    const choice = this.#random(8);
    if (choice === 6) return `${this.expression("i32", 2)}\nif\nunreachable\nend`;
    if (choice === 7) return `i32.const 9\n${this.expression("i32", 2)}\ni32.div_u\nglobal.set $i32`;
    if (choice === 0)
      return `${this.expression("i32", 1)}\ni32.const 1\ni32.and\nmemory.grow\nglobal.set $i32`;
    if (choice === 1) return `${this.#address()}\ni32.const 2\ni32.const 9\nmemory.init $data`;
    if (choice === 2) return "memory.size\nglobal.set $i32";
    if (choice === 3) return `${this.expression("f64", 2)}\ni32.trunc_f64_s\nglobal.set $i32`;
    if (choice === 4) return "nop";
    return `ref.null func\nref.is_null\nglobal.set $i32`;
  }
}

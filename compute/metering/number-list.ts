// Owns lists of 32-bit numbers that grow: what is known of a large function must fit a Worker's memory. It refuses to
// shrink, so that one function after another is followed in the same room.

export class NumberList {
  #numbers = new Int32Array(256);
  length = 0;

  /** Adds a number and answers its place. */
  push(value: number): number {
    if (this.length === this.#numbers.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.length] = value;
    this.length += 1;
    return this.length - 1;
  }

  at(place: number): number {
    return this.#numbers[place] as number;
  }

  set(place: number, value: number): void {
    this.#numbers[place] = value;
  }

  /** Takes the last one off; undefined when there is none. */
  pop(): number | undefined {
    if (this.length === 0) return undefined;
    this.length -= 1;
    return this.#numbers[this.length];
  }

  clear(): void {
    this.length = 0;
  }
}

// Owns what stands in for the platform's module `cloudflare:workers` outside of it: the base class of an object, and
// nothing else. It refuses nothing; an object's surroundings are the host's.

/** Keeps what the platform hands to an object. */
export class DurableObject<Env = unknown> {
  protected readonly ctx: DurableObjectState;
  protected readonly env: Env;

  constructor(ctx: DurableObjectState, env: Env) {
    this.ctx = ctx;
    this.env = env;
  }
}

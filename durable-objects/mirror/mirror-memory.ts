// Owns the few things that a mirror keeps over a restart: hints of where to look, and transactions on their way. It refuses to
// be a source of truth: whatever is lost here is found again on the chain and in the regions.

/** Keeps values by name, durable before anything that follows leaves the object. */
export interface MirrorMemory {
  get<T>(key: string): Promise<T | undefined>;
  put<T>(key: string, value: T): Promise<void>;
  delete(key: string): Promise<unknown>;
  list<T>(options: { readonly prefix: string }): Promise<Map<string, T>>;
}

// Owns the types of itty-durable that this project uses; the package's own are written for another module system.
declare module "itty-durable" {
  interface IttyState {
    readonly storage: DurableObjectStorage;
  }

  /** Makes the base class of an object whose public methods can be called through its proxied stub. */
  export function createDurable(options?: { autoPersist?: boolean; autoReturn?: boolean }): new (
    state: DurableObjectState,
    env: unknown,
  ) => {
    readonly state: IttyState;
    fetch(request: Request): Promise<Response>;
    persist(): Promise<void>;
  };

  /** Adds proxied namespaces to a request-like value: `request.NAME.get(id).method(...)`. */
  export function withDurables(options?: {
    parse?: boolean;
  }): (request: { headers: Headers }, env: unknown) => void;
}

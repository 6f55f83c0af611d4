// Owns the peer of a lease's runs: the least object between a caller and a process, which passes each message on to the other side
// as it is. It refuses nothing and looks at nothing.
import { DurableObject } from "cloudflare:workers";

export class Provider extends DurableObject {
  #sides = new Map();

  fetch(request) {
    const side = new URL(request.url).pathname.endsWith("/process") ? "process" : "caller";
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [side]);
    this.#sides.set(side, server);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, message) {
    const other = socket === this.#sides.get("process") ? "caller" : "process";
    this.#sides.get(other)?.send(message);
  }
}

export class Region extends DurableObject {}

export class Intake extends DurableObject {}

export class Feed extends DurableObject {}

export class Directory extends DurableObject {}

export default { fetch: (request, env) => env.PROVIDER.getByName("echo").fetch(request) };

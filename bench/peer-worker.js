// Owns the peer of the command path: the least Worker and object that keep what they are sent, one row a call. It
// refuses nothing and checks nothing.
import { DurableObject } from "cloudflare:workers";

export class Region extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }

  insert(body) {
    return this.ctx.storage.sql.exec("INSERT INTO calls (body) VALUES (?) RETURNING id", body).one().id;
  }
}

/** The same over sockets that the object itself holds: a row a message. */
export class Intake extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }

  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, body) {
    const { id } = this.ctx.storage.sql.exec("INSERT INTO calls (body) VALUES (?) RETURNING id", body).one();
    socket.send(JSON.stringify({ entry: id }));
  }
}

export class Feed extends DurableObject {}

export class Directory extends DurableObject {}

export default {
  async fetch(request, env) {
    if (request.headers.get("upgrade") === "websocket") return env.INTAKE.getByName("peer").fetch(request);
    const entry = await env.REGION.getByName("peer").insert(await request.text());
    return Response.json({ entry });
  },
};

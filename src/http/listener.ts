import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { EventHandler, H3 } from 'h3';
import { NodeRequest, sendNodeResponse } from 'srvx/node';

/** Responses that a handler of ours has taken over. */
const taken = new WeakSet<ServerResponse>();

/**
 * A route's handler that answers on Node's own request and response. It must not throw: what goes
 * wrong is its own to tell the client.
 */
export function onNode(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): EventHandler {
  return (event) => {
    const { req, res } = event.runtime!.node!;
    taken.add(res as ServerResponse);
    handle(req as IncomingMessage, res as ServerResponse);
    return '';
  };
}

/**
 * The app as a listener of Node's server. h3's own adapter would wait for the end of each of our
 * answers with four more listeners, and then end it once more, at the price of an error object.
 */
export function listenerFor(app: H3): RequestListener {
  return (request, response) => {
    const answer = app.fetch(new NodeRequest({ req: request, res: response }));
    if (taken.has(response)) return;
    // Only what h3 refuses by itself comes here, such as a malformed path.
    Promise.resolve(answer)
      .then((refusal) => sendNodeResponse(response, refusal))
      .catch(() => response.destroy());
  };
}

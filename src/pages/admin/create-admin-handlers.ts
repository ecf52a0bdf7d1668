import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { type ConnectRouterOptions, createConnectRouter, createContextValues } from "@connectrpc/connect";
import {
  type UniversalHandler,
  type UniversalServerRequest,
  type UniversalServerResponse,
  universalServerRequestFromFetch,
  universalServerResponseToFetch,
} from "@connectrpc/connect/protocol";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { AdminHandlers } from "./admin-handlers.js";
import type { AdminOptions } from "./admin-options.js";
import { CALLER_ADDRESS } from "./caller-address.js";
import { createAdminService } from "./create-admin-service.js";
import { dropEndlessDeadline } from "./drop-endless-deadline.js";
import { AdminService } from "./gen/edgereplica/admin/v1/admin_pb.js";
import { mapServiceError } from "./map-service-error.js";

/** A message of this service has a few hundred bytes. */
const MAX_MESSAGE_BYTES = 64 * 1024;

export function createAdminHandlers(options: AdminOptions): AdminHandlers {
  const settings: ConnectRouterOptions = {
    readMaxBytes: MAX_MESSAGE_BYTES,
    acceptCompression: [compressionGzip],
    interceptors: [
      (next) => async (request) => {
        try {
          return await next(request);
        } catch (error) {
          throw mapServiceError(error, options.onError);
        }
      },
    ],
  };
  const service = createAdminService(options);
  const pathsOf = (router: ConnectRouterOptions) =>
    new Map(
      createConnectRouter(router)
        .service(AdminService, service)
        .handlers.map((handler) => [handler.requestPath, handler]),
    );
  const withGrpc = pathsOf(settings);
  // Over fetch there are no trailers, in which gRPC says how a call went.
  const withoutGrpc = pathsOf({ ...settings, grpc: false });

  const callerOf = (request: Request, incoming?: IncomingMessage): string => {
    try {
      return String(options.clientAddress(request, incoming));
    } catch (error) {
      options.onError(error);
      return CALLER_ADDRESS.defaultValue;
    }
  };

  const answerNode = async (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): Promise<void> => {
    const values = createContextValues();
    // Throws where there is no host, or no URL can be made of it.
    const asked = universalRequestFromNodeRequest(request, response, undefined, values);
    const seen = new Request(asked.url, { method: asked.method, headers: asked.header });
    // HTTP/2's request has the socket and the headers in the same places.
    values.set(CALLER_ADDRESS, callerOf(seen, request as IncomingMessage));
    await universalResponseToNodeResponse(await answer(withGrpc, asked), response);
  };

  return {
    async fetch(request, incoming) {
      const values = createContextValues().set(CALLER_ADDRESS, callerOf(request, incoming));
      const asked = { ...universalServerRequestFromFetch(request, {}), contextValues: values };
      return universalServerResponseToFetch(await answer(withoutGrpc, asked));
    },
    node(request, response) {
      answerNode(request, response).catch(() => {
        // The caller has gone, or sent what is no request.
        if (!response.headersSent) response.writeHead(400).end();
        else if ("stream" in response) response.stream.destroy();
        else response.destroy();
      });
    },
  };
}

async function answer(
  handlers: ReadonlyMap<string, UniversalHandler>,
  request: UniversalServerRequest,
): Promise<UniversalServerResponse> {
  const { pathname } = new URL(request.url);
  // Hosts mount the service below a path of theirs.
  const [method = "", service = ""] = pathname.split("/").reverse();
  const handler = handlers.get(`/${service}/${method}`);
  if (handler === undefined) return { status: 404 };
  const response = await handler({ ...request, header: dropEndlessDeadline(request.header) });
  const header = new Headers(response.header);
  // There are tokens in it.
  header.set("Cache-Control", "no-store");
  return { ...response, header };
}

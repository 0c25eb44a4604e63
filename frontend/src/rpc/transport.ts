// The one way to the services: grpc-web through the gateway on the app's own
// origin. The session is a cookie that no script can read.

import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

/** What proves to the gateway that a call comes from the app's own pages. */
export const CSRF_HEADER = { name: "x-bionicpro-csrf", value: "1" } as const;

const csrf: Interceptor = (next) => (request) => {
  request.header.set(CSRF_HEADER.name, CSRF_HEADER.value);
  return next(request);
};

/** A server that cannot be reached is a failed call like any other. */
const fetchOrUnavailable: typeof fetch = async (input, init) => {
  try {
    return await fetch(input, init);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new ConnectError(
      "cannot reach the server",
      Code.Unavailable,
      undefined,
      undefined,
      cause,
    );
  }
};

export function createTransport(): Transport {
  return createGrpcWebTransport({
    baseUrl: window.location.origin,
    interceptors: [csrf],
    defaultTimeoutMs: 15_000,
    fetch: fetchOrUnavailable,
  });
}

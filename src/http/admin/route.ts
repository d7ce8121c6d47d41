import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { Gateway } from '../gateway.ts';

/** A request to a route, checked against the route's schemas. */
export interface AdminRequest<P = unknown, Q = unknown, B = unknown> {
  readonly gateway: Gateway;
  /** What stands in the path, by the names in braces. */
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

interface RouteInfo<P, Q> {
  /** What it does, in a few words; a heading of the API's description. */
  readonly summary: string;
  /** Absent: the path has none. */
  readonly params?: z.ZodType<P>;
  /** Absent: it takes none. */
  readonly query?: z.ZodType<Q>;
  /** What it may refuse with, beside what any route may. */
  readonly errors?: readonly ErrorCode[];
}

/** A route that answers with JSON; the table's key is its method and path. */
export interface JsonRoute<P = unknown, Q = unknown, B = unknown, A = unknown> extends RouteInfo<
  P,
  Q
> {
  /** Absent: a body is not looked at. */
  readonly body?: z.ZodType<B>;
  /** What it answers with 200. */
  readonly answer: z.ZodType<A>;
  /** @throws HttpError */
  handle(request: AdminRequest<P, Q, B>): Given<A> | Promise<Given<A>>;
}

/** A route that answers with server-sent events until the client leaves. */
export interface EventsRoute<P = unknown, Q = unknown> extends RouteInfo<P, Q> {
  /** The data of each kind of event. */
  readonly events: Readonly<Record<string, z.ZodType>>;
  open(
    request: AdminRequest<P, Q>,
    exchange: {
      readonly request: IncomingMessage;
      readonly response: ServerResponse;
      /** Those that every answer of ours has. */
      readonly headers: OutgoingHttpHeaders;
    },
  ): void;
}

export type Route = JsonRoute | EventsRoute;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a handler may give for a schema's type: it is only read. */
type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Given<T[Key]> }
    : T;

/** Lets the compiler hold a handler to its schemas. */
export function jsonRoute<P, Q, B, A>(route: JsonRoute<P, Q, B, A>): JsonRoute {
  return route;
}

export function eventsRoute<P, Q>(route: EventsRoute<P, Q>): EventsRoute {
  return route;
}

import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';

interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The table by path, a path's methods together. */
const PATHS = index();

/** @returns The route of a request; to a HEAD it is that of GET. */
export function matchRoute(method: string, path: string): Found | undefined {
  const wanted = method === 'HEAD' ? 'GET' : method;
  for (const { segments, methods } of PATHS) {
    const route = methods.get(wanted);
    const params = route && matchPath(segments, path);
    if (params) return { route, params };
  }
  return undefined;
}

/** @returns The methods that a path takes; none when there is no such path. */
export function methodsAt(path: string): string[] {
  const found = PATHS.filter(({ segments }) => matchPath(segments, path));
  return found.flatMap(({ methods }) => [...methods.keys()]);
}

interface Entry {
  readonly segments: readonly string[];
  readonly methods: Map<string, Route>;
}

function index(): Entry[] {
  const byPath = new Map<string, Entry>();
  for (const [key, route] of Object.entries(ROUTES)) {
    const [method = '', path = ''] = key.split(' ');
    const entry = byPath.get(path) ?? { segments: path.split('/'), methods: new Map() };
    entry.methods.set(method, route);
    byPath.set(path, entry);
  }
  return [...byPath.values()];
}

/** `/admin/instances/{name}`: a name in braces takes one segment, whatever is in it. */
function matchPath(
  segments: readonly string[],
  path: string,
): Readonly<Record<string, string>> | undefined {
  const given = path.split('/');
  if (given.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [position, segment] of segments.entries()) {
    const value = given[position]!;
    if (!segment.startsWith('{')) {
      if (segment !== value) return undefined;
    } else if (value === '') return undefined;
    else params[segment.slice(1, -1)] = decode(value);
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not well-formed, and so no name of anything: it will not be found.
    return segment;
  }
}

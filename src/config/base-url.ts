const WANTED = 'must be an http or https address like http://127.0.0.1:11434';

/** @returns What is wrong with an address of the config, as a clause; `undefined` when it is fine. */
export function addressProblem(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return WANTED;
  return undefined;
}

/** The same for a backend's `baseUrl`, which paths are appended to. */
export function baseUrlProblem(text: string): string | undefined {
  const problem = addressProblem(text);
  if (problem) return problem;
  const url = new URL(text);
  if (url.username || url.password)
    return 'must not carry a user or password; put a key into `apiKey`, other credentials into `headers`';
  if (url.search || url.hash) return 'must not have a query or fragment: paths are appended to it';
  return undefined;
}

/**
 * Adapters append their whole path, `/v1/...` included, and people write base URLs both ways.
 *
 * @param text A `baseUrl` that `baseUrlProblem` has no objection to.
 * @returns The address without trailing slashes and without a trailing `/v1`.
 */
export function normalizeBaseUrl(text: string): string {
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/(?:\/v1)?\/*$/, '').replace(/\/+$/, '');
}

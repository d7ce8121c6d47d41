import { readFileSync } from 'node:fs';

const file = new URL('../../package.json', import.meta.url);

/** jairouter's own. */
export const VERSION = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;

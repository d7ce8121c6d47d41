// Writes schema.json, the JSON Schema of config files, from the sources.
import { writeFileSync } from 'node:fs';
import { createJiti } from 'jiti';

const { jsonSchema } = await createJiti(import.meta.url).import('../src/config/json-schema.ts');
const file = new URL('../schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);

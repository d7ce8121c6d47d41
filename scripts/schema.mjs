// Writes schema.json, the JSON Schema of config files, from the built sources.
import { writeFileSync } from 'node:fs';
import { jsonSchema } from '../dist/config/json-schema.js';

const file = new URL('../schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(jsonSchema(), null, 2)}\n`);

import { createHash } from 'node:crypto';
import type { Call } from './call.ts';
import { MockError } from './error.ts';
import { choice, flag, requiredText, wholeNumber, type Fields } from './fields.ts';
import { png } from './png.ts';
import { introduction, tokens } from './prose.ts';

/** `POST /v1/images/generations` */
export function imageGenerations(call: Call): Promise<void> {
  return paint(call, { subject: requiredText(call.fields, 'prompt'), event: 'image_generation' });
}

/** `POST /v1/images/edits` */
export function imageEdits(call: Call): Promise<void> {
  const subject = requiredText(call.fields, 'prompt') + fingerprint(call);
  return paint(call, { subject, event: 'image_edit' });
}

/** `POST /v1/images/variations` */
export function imageVariations(call: Call): Promise<void> {
  return paint(call, { subject: fingerprint(call), event: 'image_edit' });
}

/** @returns What tells the images of a call from others'; they come as files or, in JSON, as links. */
function fingerprint(call: Call): string {
  const files = call.files.filter((upload) => upload.field.startsWith('image'));
  const links = call.fields['images'];
  if (files.length === 0 && !(Array.isArray(links) && links.length > 0)) {
    throw new MockError(400, "Missing required parameter: 'image'.", {
      param: 'image',
      code: 'missing_required_parameter',
    });
  }
  const hash = createHash('sha256').update(JSON.stringify(links ?? ''));
  for (const file of files) hash.update(file.data);
  return hash.digest('hex');
}

interface Order {
  /** What the colour depends on. */
  readonly subject: string;
  /** How the events of a stream are called. */
  readonly event: string;
}

/** Each image is one colour, the same for the same order. */
async function paint(call: Call, { subject, event }: Order): Promise<void> {
  const { fields } = call;
  const { width, height } = sizeOf(fields);
  const number = wholeNumber(fields, 'n', { min: 1, max: 10 }) ?? 1;
  const format = choice(fields, 'response_format', ['b64_json', 'url']);
  checkFormat(fields);
  const about = {
    background: 'opaque',
    output_format: 'png',
    quality: 'low',
    size: `${width}x${height}`,
  };
  const usage = usageOf(fields, number);
  const draw = (index: number): string =>
    png(width, height, colourOf(`${subject} ${index}`)).toString('base64');

  if (!flag(fields, 'stream')) {
    await call.pace.first();
    const data = Array.from({ length: number }, (_, index) => {
      const image = draw(index);
      return format === 'url' ? { url: `data:image/png;base64,${image}` } : { b64_json: image };
    });
    const revised = { revised_prompt: `${introduction(call.model)} It paints in one colour.` };
    call.reply.json({
      created: call.created,
      ...about,
      data: data.map((image) => ({ ...image, ...revised })),
      usage,
    });
    return;
  }
  const partial = wholeNumber(fields, 'partial_images', { min: 0, max: 3 }) ?? 0;
  const head = { created_at: call.created, ...about };
  const events = call.reply.events();
  await call.pace.first();
  for (let index = 0; index < partial; index++) {
    const type = `${event}.partial_image`;
    const b64_json = draw(0);
    await events.send({ type, b64_json, ...head, partial_image_index: index }, type);
    await call.pace.tokens(1);
  }
  const type = `${event}.completed`;
  await events.send({ type, b64_json: draw(0), ...head, usage }, type);
  events.end();
}

const LARGEST = 4096;

function sizeOf(fields: Fields): { width: number; height: number } {
  const size = fields['size'] ?? 'auto';
  if (size === 'auto') return { width: 256, height: 256 };
  const match = /^(\d{1,4})x(\d{1,4})$/.exec(typeof size === 'string' ? size : '');
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  if (width >= 1 && width <= LARGEST && height >= 1 && height <= LARGEST) return { width, height };
  throw new MockError(400, `'size' must be auto or WIDTHxHEIGHT, at most ${LARGEST}x${LARGEST}.`, {
    param: 'size',
    code: 'invalid_value',
  });
}

function checkFormat(fields: Fields): void {
  const name = choice(fields, 'output_format', ['png', 'jpeg', 'webp']);
  if (name === 'png') return;
  throw new MockError(400, `The mock makes png, not ${name}: ask for png.`, {
    param: 'output_format',
    code: 'unsupported_value',
  });
}

function colourOf(subject: string): { red: number; green: number; blue: number } {
  const [red, green, blue] = createHash('sha256').update(subject).digest();
  return { red: red!, green: green!, blue: blue! };
}

function usageOf(fields: Fields, images: number): unknown {
  const prompt = fields['prompt'];
  const text = typeof prompt === 'string' ? tokens(prompt).length : 0;
  return {
    input_tokens: text,
    input_tokens_details: { text_tokens: text, image_tokens: 0 },
    output_tokens: images,
    total_tokens: text + images,
  };
}

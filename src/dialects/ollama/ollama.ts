import type { Dialect, ServedDialect } from '../dialect.ts';
import { eventReader, readAnswer } from './read-answer.ts';
import { readGenerate, readRequest } from './read-request.ts';
import { chatWhole, chatWriter, generateWhole, generateWriter } from './write-answer.ts';
import { writeRequest } from './write-request.ts';

/** Ollama's own chat. */
export const ollamaChat: Dialect = {
  readRequest,
  writeRequest,
  eventReader,
  readAnswer,
  eventWriter: chatWriter,
  writeAnswer: chatWhole,
};

/** Ollama's own way to have one prompt answered, or a text filled in. */
export const ollamaGenerate: ServedDialect = {
  readRequest: readGenerate,
  eventWriter: generateWriter,
  writeAnswer: generateWhole,
};

// Has the official AsyncAPI parser, with its plug-in for Avro, judge documents.
//
//     node tools/validate-specification.mjs asyncapi.yaml
//
// Prints what it finds as file:line:column: severity code message. Errors and warnings make the exit status 1, what
// cannot be read at all makes it 2; remarks of lower severity are printed only.

import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser, fromFile } from '@asyncapi/parser';

const SEVERITIES = ['error', 'warning', 'information', 'hint'];
const LAST_FATAL_SEVERITY = SEVERITIES.indexOf('warning');

/** Validates one document, prints its diagnostics, and returns whether it is acceptable. */
async function validate(path) {
  const parser = new Parser();
  parser.registerSchemaParser(AvroSchemaParser());
  const { document, diagnostics } = await fromFile(parser, path).parse();
  for (const { source, range, severity, code, message } of diagnostics) {
    const position = `${source ?? path}:${range.start.line + 1}:${range.start.character + 1}`;
    console.log(`${position}: ${SEVERITIES[severity]} ${code} ${message}`);
  }
  const acceptable =
    document !== undefined && diagnostics.every(({ severity }) => severity > LAST_FATAL_SEVERITY);
  if (acceptable) {
    const { length: channels } = document.channels().all();
    const { length: operations } = document.operations().all();
    console.log(`${path}: valid, ${channels} channels, ${operations} operations`);
  }
  return acceptable;
}

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error('usage: validate-specification.mjs DOCUMENT...');
  process.exit(2);
}
try {
  const verdicts = [];
  for (const path of paths) verdicts.push(await validate(path));
  process.exitCode = verdicts.every(Boolean) ? 0 : 1;
} catch (error) {
  console.error(`validate-specification: ${error.message}`);
  process.exitCode = 2;
}

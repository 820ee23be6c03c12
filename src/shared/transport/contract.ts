import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

const PROTO = new URL('../../../proto/hekate/v1/cosigner.proto', import.meta.url);
const { root } = protobuf.parse(readFileSync(PROTO, 'utf8'));
root.resolveAll();

/** What a link sends and what a cosigner answers (proto/hekate/v1/cosigner.proto), as protobufjs compiles them. */
export const LINK_MESSAGE: protobuf.Type = root.lookupType('hekate.v1.LinkMessage');
export const COSIGNER_MESSAGE: protobuf.Type = root.lookupType('hekate.v1.CosignerMessage');

const service = root.lookupService('hekate.v1.Cosigner');

/** The `:path` of the one method. */
export const LINK_PATH = `/hekate.v1.${service.name}/${Object.keys(service.methods)[0]}`;

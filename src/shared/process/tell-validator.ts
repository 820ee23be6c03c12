import { publicKeyForms } from '../keys/formats.js';
import type { Log } from '../ports/log.js';
import type { GroupInfo } from '../home/group-file.js';

/** Says at a start for which validator a process signs, in the forms that explorers and nodes show. */
export function tellValidator(log: Log, bech32Prefix: string, group: GroupInfo): void {
  const { chainId, threshold, count, groupPublicKey } = group;
  const { address, valcons } = publicKeyForms(groupPublicKey, bech32Prefix);
  log.info('signs for validator', { chain: chainId, address, valcons, cosigners: `${threshold} of ${count}` });
}

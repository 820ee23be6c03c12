import { z } from 'zod';
import { HekateError } from '../src/shared/errors.js';
import { processRequest, type ProcessRequest } from '../src/shared/status/process-requests.js';
import { describePlace } from '../src/shared/watermark/watermark.js';
import type { Recovered } from './signing/chain-wait.js';

const PARAMS = z.strictObject({
  chainId: z.string().max(64),
  /** Decimal. */
  height: z.string().regex(/^\d{1,19}$/),
});

/** What is needed of a cosigner. */
export interface CanRecover {
  recover(chainId: string, height: bigint): Promise<Recovered | undefined>;
}

/** `hekate state recover`, of a cosigner that runs: ends the wait of a chain, with a floor at the end of a height. */
export function recoverRequest(cosigner: CanRecover): ProcessRequest {
  return processRequest(PARAMS, async ({ chainId, height }) => {
    const recovered = await cosigner.recover(chainId, BigInt(height));
    if (recovered === undefined) throw new HekateError('BUSY', `chain ${chainId} is too busy`, { fix: 'try it again' });
    const { watermark, unheard } = recovered;
    return { chainId, place: describePlace(watermark), unheard };
  });
}

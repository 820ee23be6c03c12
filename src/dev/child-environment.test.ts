import { expect, it } from 'vitest';
import { childEnvironment } from './child-environment.js';

it('a process of the cluster gets what it would have from an operator', () => {
  const environment = {
    PATH: '/bin',
    HOME: '/root',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    NODE_OPTIONS: '--inspect',
    NODE_ENV: 'production',
    NOTIFY_SOCKET: '/run/notify',
    npm_config_omit: 'dev',
  };
  expect(childEnvironment(environment)).toEqual({ PATH: '/bin', HOME: '/root', NODE_EXTRA_CA_CERTS: '/ca.pem' });
});

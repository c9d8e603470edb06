// Takes a configuration that was read again to those who own what it says, while the server runs.

import type { Log } from '../../base/log.js';
import { compareSettings, type Reloaded } from '../../config/live-reload.js';
import type { LoadedSettings, Settings } from '../../config/settings.js';
import type { WorldPlan } from '../../engine/plan/world-plan.js';
import { LiveLimits } from '../../memory/tables/live-limits.js';
import type { Net } from '../../net/net.js';
import type { IoKeeper } from '../threads/io-keeper.js';

export interface SettingsSource {
  /** As at the start: the same flags and environment, the file as it is now. */
  reread(): LoadedSettings;
  setLogLevel(level: Settings['logLevel']): void;
}

export interface LiveSettingsOptions {
  /** Its settings are those that run: whoever looks them up there, as threads that begin do, sees what is new. */
  plan: WorldPlan;
  source: SettingsSource;
  net: Pick<Net, 'adopt'>;
  io: Pick<IoKeeper, 'adopt'>;
  log: Log;
}

export class LiveSettings {
  private readonly limits: LiveLimits;

  constructor(private readonly options: LiveSettingsOptions) {
    this.limits = new LiveLimits(options.plan.limits);
  }

  reload(): Reloaded {
    const { plan, source, net, io, log } = this.options;
    const reloaded = compareSettings(plan.settings, source.reread());
    const { errors, applied, restart, values } = reloaded;
    for (const error of errors) log.error({}, `the settings were read again, and none applied: ${error}`);
    if (errors.length > 0) return reloaded;
    Object.assign(plan.settings, values);
    this.limits.set(plan.settings);
    net.adopt(plan.settings);
    io.adopt(plan.settings);
    source.setLogLevel(plan.settings.logLevel);
    log.info({ applied, restart }, 'the settings were read again; those under restart wait for one');
    return reloaded;
  }
}

/**
 * Seconds that AWS takes, as far as this project has them from anywhere; "assumed" where it has not. CloudFormation's own are
 * in its table of resource types.
 */
export const durations = {
  /** "Pending" until EC2 says running: 10 to 30 s (assumed, from common experience). */
  instancePending: 15,
  /** An ordinary shutdown by ACPI (assumed). */
  instanceStopping: 20,
  instanceStarting: 15,
  instanceRebooting: 30,
  /** Status checks pass after about two minutes (assumed). */
  statusChecks: 120,
  /** Until it is terminated, and its interface and disks with it (assumed). */
  instanceShuttingDown: 40,
  /** A terminated instance is seen for about an hour (EC2 user guide, "Terminate Amazon EC2 instances"). */
  instanceRemembered: 3_600,
  volumeAttaching: 4,
  volumeDetaching: 6,
  /** NAT gateways: a minute and a half to come, most of one to go (assumed). */
  natPending: 90,
  natDeleting: 50,
  /** Auto Scaling asks for its instances' health about once a minute (assumed). */
  healthCheck: 30,
  /** Between a launch that failed in a zone and one in another (assumed). */
  launchElsewhere: 15,
  /** Between an attempt to launch that failed and the next in the same zone (assumed; AWS backs off further). */
  launchRetry: 60,
  /** Between CloudFormation's attempts to delete what something still depends on (assumed). */
  dependencyRetry: 15,
  /** After so long CloudFormation gives a dependency up (assumed). */
  dependencyLimit: 600,
  /** A change set is made (assumed). */
  changeSet: 6,
  /** From a stack's request to its first resource (assumed). */
  stackStart: 3,
  /** IAM tells EC2 of a new instance profile: 5 to 120 s (facts of terraform's issues); CloudFormation waits it out. */
  profileVisible: 10,
} as const;

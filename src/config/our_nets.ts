/**
 * Stands for the own networks, where a network is defined: those named on the command line, else
 * `ourNets` of the configuration, else the prefixes of the interface.
 */
export const OUR_NETS: unique symbol = Symbol("OUR_NETS");

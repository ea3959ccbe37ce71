#pragma once
#include <boost/json.hpp>
#include <string>

namespace deltatwin {

/// A design space's exploration as one HTML page that needs no network connection, and no other file:
/// plots of the front, the front and the designs confirmed as tables, the space itself. `data` has
///
///     format              "deltatwin-report-1"
///     title               text
///     space               the space as given: any JSON
///     objectives          names of fields of a design
///     points, evaluated   designs in the space, and those of them that are done
///     feasible            those that nothing rejects
///     rejected            object: designs by reason
///     short_of            object: those that do not fit, by what they take the largest share of
///     area_error          what the area model states as its error, 0.15
///     devices             [{name, lut, ff, dsp, bram36}]: budgets
///     networks            [{name, code, accuracy, macs, weights, bits_a_weight}]
///     front               [design]: those to show, of all devices' fronts, with `command`
///     front_size          designs of the whole fronts
///     cloud               [design]: a sample of the feasible designs beside the front
///     confirmed           [{id, kind, images, mismatches, cycles_model, cycles_rtl, lut_model, lut_synth,
///                           ff_*, dsp_*, bram36_*, fits}]; may be empty, kind is best or random
///
/// A design is {id, network, code, device, lanes, lanes_per_bank, bank_depth, multiplier, clock_mhz,
/// accuracy, macs, weights, bits_a_weight, cycles, latency_us, throughput, inferences_per_second, lut, ff,
/// dsp, bram36, share, fits}: accuracy of 0..1, throughput in MAC/s, share the largest of the four shares of
/// the device. A figure that is not known is null; `fits` is true, false, or null where the area model cannot
/// tell. Throws InputError when `chart_library` (default: where Debian's package has it) cannot be read.
[[nodiscard]] std::string render_report(const boost::json::object& data,
                                        const std::string& chart_library = {});

} // namespace deltatwin

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
///     unknown             object: of how many of those a figure is not known, by column
///     rejected            object: designs by reason
///     short_of            object: those that do not fit, by what they take the largest share of
///     area_error          what the area model states as its error, 0.15
///     devices             [{name, lut, ff, dsp, bram36}]: budgets
///     columns             [{key, head, unit, choice, series, high, scale, digits}]: of a design beside its
///                         area, for people: `scale` makes the unit of the number, `choice` is an axis,
///                         plots tell a `series` apart, of `high` more is better
///     networks            [{name, code, accuracy, macs, weights, stored_bits}]; may be empty
///     front               [design]: those to show, of all devices' fronts, with `command`
///     front_size          designs of the whole fronts
///     cloud               [design]: a sample of the feasible designs beside the front
///     confirmed           [{id, kind, items, mismatches, cycles_model, cycles_rtl, lut_model, lut_synth,
///                           ff_*, dsp_*, bram36_*, fits}]; may be empty, kind is best or random
///
/// A design is {id, device, lut, ff, dsp, bram36, share, fits} and a field for each of `columns`: share is
/// the largest of the four shares of the device.
/// A figure that is not known is null. `fits` is true, false, or null where the area model cannot tell.
/// Throws InputError when `chart_library` (default: where Debian's package has it) cannot be read.
[[nodiscard]] std::string render_report(const boost::json::object& data,
                                        const std::string& chart_library = {});

} // namespace deltatwin

#pragma once
#include "base/register.h"
#include "base/trace.h"
#include "cosim/rtl_library.h"
#include <optional>
#include <string>
#include <vector>

namespace deltatwin {

/// Where one interface first differs.
struct Difference {
  std::string block, interface;
  Cycle cycle = 0;
  std::optional<Beat> model;        ///< the model's beat in this cycle, if it has one
  std::optional<std::uint64_t> rtl; ///< the RTL's payload in this cycle, if it has a beat
  BeatContext context;              ///< of the model's beat, or of its next one
  Interface fields;                 ///< how to read the payloads
  std::size_t index = 0;            ///< so many beats of this interface, in this session, agree
  std::string rule;                 ///< of the handshake, that the RTL broke; the beats may be equal
  std::string elsewhere;            ///< where the beat is that one side misses, as far as it was seen
  /// Of data and responses of AXI4-Lite: the address of the access, and which register that is.
  std::optional<std::uint32_t> address{};
  std::string register_name{};
  std::string model_means{}, rtl_means{}; ///< what the payloads say of the register, field by field
};

/// The first beat in which the twins differ, or the RTL's own end of the simulation.
struct Divergence : Difference {
  std::vector<Beat> before; ///< the last beats before, on which the twins agree
  std::vector<std::string> before_means;
  std::vector<Difference> others;  ///< other interfaces that differ in the cycles after, in their order
  std::optional<RtlEnding> ending; ///< then there is no interface, and nothing of the above but the cycle

  /// Some lines: block, interface, cycle, layer, tile, element, both values, the beats before, the
  /// other interfaces.
  [[nodiscard]] std::string report() const;
};

/// A payload's fields, "name=0x12 name=0x3".
[[nodiscard]] std::string describe(const Interface& interface, std::uint64_t payload);

/// Holds the beats of an RTL model, cycle for cycle, against those a model produced. Every beat on
/// every interface counts: payload and cycle, none missing, none left over on either side. An output
/// of the RTL that is valid stays so, with its payload, until it is taken or reset. `registers`: what is
/// behind the interfaces aw, w, b, ar, r.
class Lockstep {
public:
  Lockstep(const std::vector<Interface>& interfaces, const BeatTrace& model, const RtlModel& rtl,
           std::vector<Register> registers = {});

  /// Looks at the RTL's settled signals in `cycle`; false when enough is known: some cycles after the
  /// first difference, in which the others show.
  bool check(Cycle cycle);
  /// rst_ni is low: what is offered may be withdrawn.
  void reset();
  /// At the end: do the twins agree, and has every beat of the model been seen?
  bool finish();

  /// After finish().
  [[nodiscard]] const std::optional<Divergence>& divergence() const { return divergence_; }
  /// Beats on which the twins agree, up to the first difference.
  [[nodiscard]] std::uint64_t beats() const { return beats_; }
  /// Those of each interface.
  [[nodiscard]] std::vector<std::uint64_t> interface_beats() const;

private:
  struct Monitor {
    std::vector<const RtlSignal*> strobes; ///< like the interface's
    std::vector<const RtlSignal*> fields;
    std::size_t next = 0; ///< the model's beat that is due
    bool output = false;  ///< valid and ready, and the RTL says valid: it may not change its mind
    std::optional<std::uint64_t> offered; ///< the payload that waits for ready
    std::optional<Difference> difference;
    std::vector<Beat> after; ///< the RTL's beats from the difference on
  };
  bool has_ended();
  // The payload, if there is a beat; `rule` is that which the handshake breaks.
  std::optional<std::uint64_t> look(std::size_t interface, Cycle cycle, const char*& rule);
  void watch(std::size_t interface, Cycle cycle);
  void differ(std::size_t interface, Cycle cycle, std::optional<std::uint64_t> rtl);
  [[nodiscard]] std::string elsewhere(std::size_t interface) const;
  [[nodiscard]] std::optional<std::uint32_t> address(std::size_t interface, std::size_t beat) const;
  [[nodiscard]] std::string meaning(std::size_t interface, std::size_t beat, std::uint64_t payload) const;

  const std::vector<Interface>& interfaces_;
  const BeatTrace& model_;
  const RtlModel& rtl_;
  std::vector<Register> registers_;
  std::optional<Cycle> origin_; ///< the cycle before the RTL's first clock edge
  std::vector<Monitor> monitors_;
  std::uint64_t beats_ = 0;
  std::vector<Cycle> resets_;  ///< the last cycle before each
  std::optional<Cycle> first_; ///< the first difference
  Cycle last_ = 0;             ///< the latest cycle that was looked at
  std::optional<Divergence> divergence_;
};

} // namespace deltatwin

#pragma once
#include "cosim/pins/axi_lite.h"
#include "cosim/pins/axi_stream.h"
#include "cosim/rtl_library.h"
#include "tlm/accelerator.h"

namespace deltatwin {

/// The accelerator's RTL behind the model's sockets: plug in either. Time passes in the RTL only as
/// far as transactions reach, so a host polls STATUS to let a run go on, as it does on hardware;
/// results are delivered a beat at a time while that happens.
class RtlAccelerator : public AcceleratorSockets {
public:
  RtlAccelerator(const sc_core::sc_module_name& name, const Design& design,
                 const std::function<void(const std::string&)>& message = {});

protected:
  bool write(std::uint32_t address, std::uint32_t data, Cycle cycle, unsigned strobe) override;
  TopModel::ReadResult read(std::uint32_t address, Cycle cycle) override;
  std::size_t stream(const std::int8_t* data, std::size_t count, Cycle& from,
                     StreamExtension* extension) override;

private:
  AxiLitePins::Responses step();
  void advance(Cycle cycle);

  std::vector<Bus> buses_;
  RtlModel rtl_;
  AxiLitePins lite_;
  AxiStreamSource source_;
  AxiStreamSink sink_;
  std::size_t inputs_ = 1, position_ = 0; ///< of an inference, for TLAST
  std::uint32_t load_address_ = 0;
  Cycle cycle_ = 0, output_taken_ = never; ///< when the output beat that is offered will be taken
};

} // namespace deltatwin

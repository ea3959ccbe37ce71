#include "app/slurm.h"
#include "app/options.h"
#include "cosim/tool.h"
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace deltatwin {
namespace {

std::string slurm(const std::string& tool, const std::vector<std::string>& arguments) {
  return run_tool(tool, arguments, {}, "slurm-client");
}

// Tasks that are waiting or at work; none once Slurm has forgotten the job.
std::size_t open_tasks(const std::string& job) {
  try {
    const std::string lines = slurm("squeue", {"--noheader", "--array", "--jobs", job, "--format", "%i"});
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  } catch (const ToolError& error) {
    if (std::string(error.what()).find("Invalid job id") == std::string::npos)
      throw;
    return 0;
  }
}

} // namespace

bool run_job_array(const std::vector<std::string>& words, const std::vector<int>& tasks, int count,
                   const std::string& log, const std::atomic<bool>& stop) {
  std::vector<std::string> command = {std::filesystem::read_symlink("/proc/self/exe").string()};
  command.insert(command.end(), words.begin(), words.end());
  std::string array;
  for (const int task : tasks)
    array += (array.empty() ? "" : ",") + std::to_string(task);
  std::string job = slurm(
      "sbatch", {"--parsable", "--array=" + array, "--job-name=deltatwin", "--output=" + log, "--wrap",
                 "exec " + shell_line(command) + " --shard $SLURM_ARRAY_TASK_ID/" + std::to_string(count)});
  job = job.substr(0, job.find_first_of(";\n"));

  Progress progress("Slurm job " + job);
  while (const std::size_t open = open_tasks(job)) {
    if (stop) {
      slurm("scancel", {job});
      return false;
    }
    progress.update(static_cast<double>(tasks.size() - std::min(open, tasks.size())),
                    static_cast<double>(tasks.size()));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  return true;
}

} // namespace deltatwin

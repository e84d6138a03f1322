# SPDX-License-Identifier: Apache-2.0
# Completion of i4 for fish. Names are those of the built-in catalog: asking the ring could start a daemon.

function __i4_list --description 'complete the last of the names with commas between them'
    set -l begun (commandline --current-token | string replace --regex '^--[a-z]+=' '' | string match --regex '^.*,')
    for name in $argv
        echo $begun$name
    end
end

set -l tail '__fish_seen_subcommand_from tail'
set -l stat '__fish_seen_subcommand_from stat'
set -l batch '__fish_seen_subcommand_from batch'
set -l inject '__fish_seen_subcommand_from inject'
set -l rotate '__fish_seen_subcommand_from rotate'
set -l none 'not __fish_seen_subcommand_from tail stat batch inject rotate help'

complete --command i4 --no-files
complete --command i4 --condition $none --arguments tail --description 'Print readings as they come'
complete --command i4 --condition $none --arguments stat --description 'Show how the daemon, its storage and its readers are doing'
complete --command i4 --condition $none --arguments batch --description 'Write readings as files'
complete --command i4 --condition $none --arguments inject --description 'Have something go wrong in the running plant'
complete --command i4 --condition $none --arguments rotate --description 'Have the daemon begin a new file of readings'
complete --command i4 --condition $none --arguments help --description 'Tell more about a verb'
complete --command i4 --condition $none --long-option version --description 'Print the version'
complete --command i4 --short-option h --long-option help --description 'Tell more'
complete --command i4 --condition '__fish_seen_subcommand_from help' --arguments 'tail stat batch inject rotate'

complete --command i4 --condition "$tail; or $stat; or $batch; or $inject; or $rotate" --long-option socket --require-parameter --force-files --description 'Where the daemon listens'

complete --command i4 --condition $tail --short-option n --long-option lines --exclusive --description 'End after so many readings'
complete --command i4 --condition $tail --long-option from --exclusive --arguments 'oldest newest' --description 'Where to start'
complete --command i4 --condition $tail --long-option format --exclusive --arguments 'json pretty csv' --description 'How to print'
complete --command i4 --condition $tail --long-option type --exclusive --arguments '(__i4_list pressure temperature flow_rate vibration corrosion humidity gas_detector valve_position)' --description 'Only these types'
complete --command i4 --condition $tail --long-option pipeline --exclusive --arguments '(__i4_list PIPE-TX-001 PIPE-TX-002 PIPE-OK-001 PIPE-LA-001 PIPE-NM-001 PIPE-CO-001 PIPE-WY-001 PIPE-ND-001)' --description 'Only these pipelines'
complete --command i4 --condition $tail --long-option sensor --exclusive --description 'Only these sensors'
complete --command i4 --condition $tail --long-option status --exclusive --arguments '(__i4_list normal warning maintenance)' --description 'Only with this status'
complete --command i4 --condition $tail --long-option alert --exclusive --arguments '(__i4_list none low medium high)' --description 'Only with this alert'
complete --command i4 --condition $tail --long-option anomaly --description 'Only readings that i4 made wrong on purpose'
complete --command i4 --condition $tail --long-option labels --description 'Say what is really wrong'
complete --command i4 --condition $tail --long-option sequence --description 'Say the sequence number'
complete --command i4 --condition $tail --long-option dirty --exclusive --description 'Spoil lines of json'
complete --command i4 --condition $tail --long-option dirty-log --require-parameter --force-files --description 'A JSON line for each spoilt line'
complete --command i4 --condition $tail --short-option w --long-option wait --description 'Wait for a daemon that is not there'
complete --command i4 --condition $tail --short-option v --long-option verbose --description 'Tell when the daemon goes and comes'

complete --command i4 --condition $stat --short-option w --long-option watch --description 'Look again every second'
complete --command i4 --condition $stat --long-option json --description 'Print one JSON object'

complete --command i4 --condition $batch --long-option input-file --require-parameter --force-files --description 'Read JSON Lines from there'
complete --command i4 --condition $batch --long-option output-dir --exclusive --arguments '(__fish_complete_directories)' --description 'Where batches go'
complete --command i4 --condition $batch --long-option batch-size --exclusive --description 'Records in a batch'
complete --command i4 --condition $batch --long-option batch-period --exclusive --description 'No record waits longer'
complete --command i4 --condition $batch --long-option edge-node-id --exclusive --description 'What this node is called'
complete --command i4 --condition $batch --long-option enrich --description 'Add lineage, data_quality and batch_meta'
complete --command i4 --condition $batch --long-option rules --exclusive --arguments 'reference all' --description 'What counts as an anomaly'
complete --command i4 --condition $batch --long-option score --description 'Measure the rules against the truth'
complete --command i4 --condition $batch --long-option labels --description 'Say what is really wrong'
complete --command i4 --condition $batch --long-option sequence --description 'Say the sequence number'
complete --command i4 --condition $batch --long-option pipeline-name --exclusive --description 'In lineage'
complete --command i4 --condition $batch --long-option max-use --exclusive --description 'Bytes that may lie in the directory'
complete --command i4 --condition $batch --long-option s3 --description 'Upload batches'
complete --command i4 --condition $batch --long-option s3-bucket --exclusive --description 'Where they go'
complete --command i4 --condition $batch --long-option s3-prefix --exclusive --description 'Before the date in a key'
complete --command i4 --condition $batch --long-option s3-endpoint --exclusive --description 'Of another service'
complete --command i4 --condition $batch --long-option s3-path-style --exclusive --arguments 'yes no' --description 'The bucket in the path'
complete --command i4 --condition $batch --long-option aws-region --exclusive --description 'Of the bucket'
complete --command i4 --condition $batch --long-option from --exclusive --arguments 'oldest newest' --description 'Where to begin in a new ring'
complete --command i4 --condition $batch --short-option n --long-option records --exclusive --description 'End after so many records'
complete --command i4 --condition $batch --short-option w --long-option wait --description 'Wait for a daemon that is not there'
complete --command i4 --condition $batch --short-option v --long-option verbose --description 'Tell of each batch'

complete --command i4 --condition $inject --arguments 'leak blockage pump_trip valve_closure spike stuck drift offset noise dropout clipping out_of_range' --description 'Kind'
complete --command i4 --condition $inject --long-option pipeline --exclusive --arguments 'PIPE-TX-001 PIPE-TX-002 PIPE-OK-001 PIPE-LA-001 PIPE-NM-001 PIPE-CO-001 PIPE-WY-001 PIPE-ND-001' --description 'Which pipeline has it'
complete --command i4 --condition $inject --long-option mile --exclusive --description 'Where on it'
complete --command i4 --condition $inject --long-option sensor --exclusive --description 'Which sensor has it'
complete --command i4 --condition $inject --long-option for --exclusive --description 'How long it lasts'
complete --command i4 --condition $inject --long-option start --exclusive --description 'When it begins'
complete --command i4 --condition $inject --long-option end --exclusive --description 'When it ends'
complete --command i4 --condition $inject --long-option strength --exclusive --description 'Of what is usual for its kind, 0 to 1'
complete --command i4 --condition $inject --long-option direction --exclusive --arguments 'up down' --description 'To which side a sensor is off'
complete --command i4 --condition $inject --long-option json --description 'Print one JSON object'
